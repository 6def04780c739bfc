import { cp } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { type Replacement, buildVariant } from '../../bench/support/build-variant.ts'
import { type OrcOptions, type RunningOrc, startOrc } from '../../orc-local/src/index.ts'
import { builtArtefacts } from '../../orc-local/src/orc/artefacts.ts'
import { GENEROUS_RATE_LIMITS } from '../../orc-local/src/testing/generous-rate-limits.ts'

/**
 * D1 is some way from its Worker. Without that way a kill would hardly ever fall between a write's decision, the write, and
 * its answer.
 */
const WAY = 'await new Promise((resolve) => setTimeout(resolve, Math.random() * 25))'
const SLOW_DATABASE: readonly Replacement[] = [
  'const body = await request.json<Query | readonly Query[]>()',
  'for (const { meta } of results) rowsWritten +=',
].map((original) => ({
  file: 'orc-local/src/workerd/d1-store.ts',
  original,
  variant: `${WAY}\n${original}`,
}))

/** Lines of the Orc's own log that are kept to be shown, for each kind of event. */
const SAMPLES = 3
/**
 * Below the range from which the system takes ports of outgoing connections: a client that dials a port in that range while
 * nothing listens there may be given the very same port and end up talking to itself.
 */
const PORTS = { first: 21_000, count: 10_000 }

/** An Orc that can be killed and comes back on the same port with the same state. */
export class MortalOrc {
  readonly #options: OrcOptions
  readonly #events: Map<string, { count: number; samples: string[] }>
  #running: RunningOrc
  downtimesMs: number[] = []

  private constructor(
    options: OrcOptions,
    events: Map<string, { count: number; samples: string[] }>,
    running: RunningOrc,
  ) {
    this.#options = options
    this.#events = events
    this.#running = running
  }

  static async start(
    folder: string,
    settings: { readonly grant: number; readonly workerScript: string | undefined },
  ): Promise<MortalOrc> {
    const databaseScript = join(folder, 'slow-database.js')
    await buildVariant('orc-local/src/workerd/d1-store.ts', databaseScript, SLOW_DATABASE)
    // Copies: another build that comes meanwhile must not change what is being examined.
    const workerScript = join(folder, 'orc.js')
    const migrationsDir = join(folder, 'migrations')
    await cp(settings.workerScript ?? builtArtefacts.workerScript, workerScript)
    await cp(builtArtefacts.migrationsDir, migrationsDir, { recursive: true })
    const events = new Map<string, { count: number; samples: string[] }>()
    const options: OrcOptions = {
      stateDir: join(folder, 'orc'),
      port: await freePort(),
      vars: { SIGNUP_GRANT: String(settings.grant), RATE_LIMITS: GENEROUS_RATE_LIMITS },
      workerScript,
      databaseScript,
      migrationsDir,
      log: (line) => note(events, line),
    }
    return new MortalOrc(options, events, await startOrc(options))
  }

  get url(): string {
    return this.#running.url
  }
  get setupToken(): string {
    return this.#running.setupToken
  }
  /** What the Orc logged: kind of event → how often, with some of the lines. */
  get events(): ReadonlyMap<string, { readonly count: number; readonly samples: readonly string[] }> {
    return this.#events
  }

  /** SIGKILL to workerd, and nothing else. */
  kill(): Promise<void> {
    return this.#running.kill()
  }

  /** Kills it and starts it again. Resolves when it serves. */
  async restart(): Promise<void> {
    const startedAt = performance.now()
    await this.#running.kill()
    this.#running = await startOrc(this.#options)
    this.downtimesMs.push(performance.now() - startedAt)
  }
}

function note(events: Map<string, { count: number; samples: string[] }>, line: string): void {
  const name = /"event":"(\w+)"/.exec(line)?.[1] ?? line.slice(0, 80)
  const event = events.get(name) ?? { count: 0, samples: [] }
  event.count++
  if (event.samples.length < SAMPLES) event.samples.push(line)
  events.set(name, event)
}

async function freePort(): Promise<number> {
  for (;;) {
    const port = PORTS.first + Math.floor(Math.random() * PORTS.count)
    if (await isFree(port)) return port
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => server.close(() => resolve(true)))
  })
}
