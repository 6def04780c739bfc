import { isDeepStrictEqual } from 'node:util'
import { Backoff } from '../../backoff.ts'
import { type Clock, monotonicClock, sleep } from '../../clock.ts'
import type { Logger } from '../../log.ts'
import { ImageServer } from '../images/image-server.ts'
import type { ModelServer } from './model-server.ts'
import type { ServerSource } from './server-source.ts'
import type { ServerSpec } from './server-spec.ts'
import { TextServer } from './text-server.ts'

/** Pause between two looks at a server for models that came or went. */
const LOOK_EVERY_MS = 60_000
/** Looks in a row without an answer after which a server's models are no longer offered. */
const LOOKS_UNTIL_GONE = 4

export interface ServerWatchOptions {
  readonly logger: Logger
  readonly clock?: Clock
  /** False if it cannot be taken now, for instance because its name is; it is asked again at the next look. */
  readonly onAdded: (source: ServerSource) => boolean
  /** One that changed is removed and added anew. Closing its engine lets the jobs that still run go on. */
  readonly onRemoved: (source: ServerSource) => void
}

/** Finds the models of all servers, once. A server that does not answer is a warning in the log. */
export async function openServers(
  specs: readonly ServerSpec[],
  { logger, signal }: { readonly logger: Logger; readonly signal: AbortSignal },
): Promise<readonly ServerSource[]> {
  const sources: ServerSource[] = []
  const onAdded = (source: ServerSource): boolean => sources.push(source) > 0
  const watch = new ServerWatch(specs, { logger, onAdded, onRemoved: () => {} })
  await watch.look(signal)
  return sources
}

/** One server, and what is offered of it. */
interface Watched {
  readonly server: ModelServer
  readonly backoff: Backoff
  readonly sources: Map<string, ServerSource>
  silentLooks: number
  isWarned: boolean
}

/** Keeps an eye on the owner's servers: their models come and go, and so do the servers. */
export class ServerWatch {
  readonly #options: ServerWatchOptions
  readonly #clock: Clock
  readonly #stop = new AbortController()
  readonly #watched: readonly Watched[]

  constructor(specs: readonly ServerSpec[], options: ServerWatchOptions) {
    this.#options = options
    this.#clock = options.clock ?? monotonicClock
    this.#watched = specs.map((spec) => ({
      server: serverOf(spec, options.logger, this.#clock),
      backoff: new Backoff(),
      sources: new Map(),
      silentLooks: 0,
      isWarned: false,
    }))
  }

  /** Looks at every server now. Resolves when each has answered or did not. */
  async look(signal: AbortSignal): Promise<void> {
    const either = AbortSignal.any([signal, this.#stop.signal])
    await Promise.all(this.#watched.map((watched) => this.#lookAt(watched, either)))
  }

  /** Looks at every server again and again, until `stop`. */
  async run(): Promise<void> {
    await Promise.all(this.#watched.map((watched) => this.#watch(watched)))
  }

  stop(): void {
    this.#stop.abort()
  }

  async #watch(watched: Watched): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      await this.#lookAt(watched, signal)
      const pauseMs = watched.silentLooks === 0 ? LOOK_EVERY_MS : watched.backoff.next()
      await sleep(this.#clock, pauseMs, signal)
    }
  }

  async #lookAt(watched: Watched, signal: AbortSignal): Promise<void> {
    try {
      const found = await watched.server.discover(signal)
      if (signal.aborted) return
      watched.silentLooks = 0
      watched.isWarned = false
      watched.backoff.reset()
      this.#compare(watched, found)
    } catch (error) {
      if (!signal.aborted) this.#silent(watched, error)
    }
  }

  #silent(watched: Watched, error: unknown): void {
    const { kind, url } = watched.server.spec
    watched.silentLooks++
    if (!watched.isWarned) {
      watched.isWarned = true
      const server = { event: 'server-silent', kind, url, err: error }
      this.#options.logger.warn(server, 'a server cannot be used now; it is looked for again')
    }
    if (watched.silentLooks === LOOKS_UNTIL_GONE) this.#compare(watched, [])
  }

  /** Tells what changed. A model whose name another server has already is left out. */
  #compare(watched: Watched, found: readonly ServerSource[]): void {
    const { logger, onAdded, onRemoved } = this.#options
    const { sources } = watched
    for (const [id, source] of sources) {
      const next = found.find(({ offer }) => offer.id === id)
      if (next !== undefined && isDeepStrictEqual(next.offer, source.offer)) continue
      sources.delete(id)
      onRemoved(source)
    }
    for (const source of found) {
      const { id } = source.offer
      if (sources.has(id)) continue
      const { kind, url } = watched.server.spec
      if (this.#watched.some((other) => other.sources.has(id))) {
        logger.debug(
          { event: 'server-model-twice', model: id, kind, url },
          'another server has this model too',
        )
        continue
      }
      if (!onAdded(source)) continue
      sources.set(id, source)
      logger.info({ event: 'server-model', model: id, kind, url }, 'found a model')
    }
  }
}

function serverOf(spec: ServerSpec, logger: Logger, clock: Clock): ModelServer {
  return spec.type === 'text' ? new TextServer(spec, logger, clock) : new ImageServer(spec, logger, clock)
}
