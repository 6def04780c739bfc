import { join } from 'node:path'

/** The root of the checkout. */
export const repository = join(import.meta.dirname, '../..')

/** The model that ships with the repository. */
export const NANO_MODEL = join(repository, 'models/daisi-nano/daisi-nano.gguf')

/** What the bundled model answers, as its makers recorded it. */
export const GOLDEN_FILE = join(repository, 'models/daisi-nano/golden.json')

/** Writes models with random weights. */
export const RANDOM_MODEL_PROGRAM = join(repository, 'models/daisi-nano/random-gguf.mjs')

/** The built Host agent. */
export const HOST_PROGRAM = join(repository, 'host-agent/bin/daisi-host.js')

/** The built Orc, as `daisi-orc`. */
export const ORC_PROGRAM = join(repository, 'orc-local/dist/cli.js')

/** The built demo. */
export const DEMO_PROGRAM = join(repository, 'orc-local/dist/demo.js')
