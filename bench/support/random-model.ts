import { execFile } from 'node:child_process'
import { access, mkdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { progress } from './report.ts'

const GENERATOR = join(import.meta.dirname, '../../models/daisi-nano/random-gguf.mjs')
const CACHE = join(import.meta.dirname, '../.cache')

/** The shape of the model: 507 million parameters in 8 bits each. The vocabulary is that of daisi-nano. */
const SHAPE = {
  layers: 32,
  embd: 1024,
  heads: 16,
  'kv-heads': 8,
  ff: 4096,
  vocab: 2048,
  ctx: 4096,
  type: 'q8_0',
}

export const RANDOM_MODEL_NAME = '507M parameters, q8_0, random weights'

/** A model of half a billion random weights, as large and as slow as a real one. Made once. */
export async function randomModel(): Promise<string> {
  const path = join(CACHE, `random-${Object.values(SHAPE).join('-')}.gguf`)
  try {
    await access(path)
  } catch {
    progress('making the random model (540 MB)')
    await mkdir(CACHE, { recursive: true })
    const shape = Object.entries(SHAPE).flatMap(([name, value]) => [`--${name}`, String(value)])
    // Renamed when complete, so that a run that was cut short leaves no half a model behind.
    await promisify(execFile)(process.execPath, [GENERATOR, ...shape, '--out', `${path}.part`])
    await rename(`${path}.part`, path)
  }
  return path
}
