import type { JobUsage } from '@daisi/protocol'
import type { Logger } from '../../log.ts'
import type { Clock } from '../../clock.ts'
import type { Engine, EngineEvent, EngineInfo, EngineJob, EngineRun } from '../engine.ts'
import { EventQueue } from '../event-queue.ts'
import { ServerError } from './server-error.ts'
import type { ServerHealth } from './server-health.ts'
import { ServerRun } from './server-run.ts'

const NO_USAGE: JobUsage = { promptTokens: 0, cachedTokens: 0, generatedTokens: 0 }

/** Does one job in a server: tells `run` what comes of it. Throws a `ServerError` where it does not get on. */
export type ServerWork = (job: EngineJob, run: ServerRun) => Promise<void>

export interface ServerEngineOptions {
  readonly info: EngineInfo
  /** How the server calls the model. */
  readonly serverName: string
  readonly health: ServerHealth
  readonly work: ServerWork
  readonly clock: Clock
  readonly logger: Logger
}

/** A model behind a server that the owner of this machine runs. It is ready while the server answers and has the model. */
export class ServerEngine implements Engine {
  readonly #options: ServerEngineOptions
  readonly #listeners = new Set<() => void>()
  readonly #unwatch: () => void
  #ready: boolean

  constructor(options: ServerEngineOptions) {
    this.#options = options
    this.#ready = options.health.serves(options.serverName)
    this.#unwatch = options.health.watch(() => this.#update())
  }

  get info(): EngineInfo {
    return this.#options.info
  }

  get ready(): boolean {
    return this.#ready
  }

  onReadyChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  run(job: EngineJob, signal: AbortSignal): EngineRun {
    const events = new EventQueue<EngineEvent>()
    const { info, clock } = this.#options
    const { windowBytes } = job
    const { contextLength } = info
    const run = new ServerRun({ windowBytes, signal, contextLength, clock, events })
    void this.#perform(job, run)
    return {
      grant: (bytes) => run.grant(bytes),
      [Symbol.asyncIterator]: () => events[Symbol.asyncIterator](),
    }
  }

  /** Stops asking whether the server answers. Jobs that still run go on to their end: nothing of theirs is freed here. */
  async close(): Promise<void> {
    this.#unwatch()
  }

  async #perform(job: EngineJob, run: ServerRun): Promise<void> {
    const { work, info, logger, health } = this.#options
    try {
      if (run.signal.aborted) return run.abort(NO_USAGE)
      if (!info.kinds.includes(job.kind)) {
        const message = `this model does no work of kind ${job.kind}`
        return run.refuse({ code: 'unsupported_kind', message })
      }
      await work(job, run)
      if (run.signal.aborted) run.abort(NO_USAGE)
    } catch (error) {
      if (run.signal.aborted) return run.abort(NO_USAGE)
      if (!(error instanceof ServerError)) {
        logger.error({ event: 'server-fault', err: error }, 'a job ended with a fault of this program')
        return run.breakOff('internal fault')
      }
      const { code, status, message } = error
      logger.warn({ event: 'server-failed', code, status, reason: message }, 'a server could not do a job')
      if (code === 'unreachable' || code === 'stalled' || status === 404) health.suspect()
      run.fail(error)
    }
  }

  #update(): void {
    const { health, serverName } = this.#options
    const ready = health.serves(serverName)
    if (ready === this.#ready) return
    this.#ready = ready
    for (const listener of this.#listeners) listener()
  }
}
