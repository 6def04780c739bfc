import { type Clock, monotonicClock } from '../../clock.ts'
import type { Logger } from '../../log.ts'
import { chatWork } from './chat-work.ts'
import { completionWork } from './completion-work.ts'
import { dialects } from './dialect.ts'
import { discoverModels } from './discover-models.ts'
import { embeddingWork } from './embedding-work.ts'
import { listModels } from './model-list.ts'
import type { ModelServer } from './model-server.ts'
import { ServerClient } from './server-client.ts'
import type { ServerWork } from './server-engine.ts'
import { ServerHealth } from './server-health.ts'
import { ServerSource } from './server-source.ts'
import { isWanted, type TextServerSpec } from './server-spec.ts'
import type { TextWorkshop } from './streamed-work.ts'
import type { TextModel } from './text-model.ts'

/**
 * Silence of a server that counts as stuck. Servers load a model with the first job that asks for it, and say nothing until its prompt
 * is read.
 */
const GAP_TIMEOUT_MS = 4 * 60_000

/** A server with text models. What all its models share is whether it answers. */
export class TextServer implements ModelServer {
  readonly spec: TextServerSpec
  readonly #client: ServerClient
  readonly #health: ServerHealth
  readonly #logger: Logger
  readonly #clock: Clock
  readonly #gapTimeoutMs: number

  constructor(
    spec: TextServerSpec,
    logger: Logger,
    clock: Clock = monotonicClock,
    gapTimeoutMs = GAP_TIMEOUT_MS,
  ) {
    this.spec = spec
    this.#logger = logger
    this.#clock = clock
    this.#gapTimeoutMs = gapTimeoutMs
    const authorization = spec.apiKey === undefined ? undefined : `Bearer ${spec.apiKey}`
    this.#client = new ServerClient(spec.url, authorization, clock)
    this.#health = new ServerHealth(async (signal) => {
      const listed = await listModels(this.#client, signal)
      return new Set(listed.map(({ id }) => id))
    }, clock)
  }

  async discover(signal: AbortSignal): Promise<readonly ServerSource[]> {
    const models = await discoverModels(this.#client, this.spec, signal)
    const wanted = models.filter(({ serverName, id }) => isWanted(this.spec, serverName, id))
    return wanted.map((model) => this.#source(model))
  }

  #source(model: TextModel): ServerSource {
    const { id, serverName, kind, completes, abilities, contextLength, slots, sizeBytes } = model
    const dialect = dialects[this.spec.kind]
    const kinds = completes ? ([kind, 'completion'] as const) : [kind]
    const capabilities = kind === 'chat' ? [...dialect.capabilities, ...abilities] : []
    const workshop = { client: this.#client, model, dialect, gapTimeoutMs: this.#gapTimeoutMs }
    return new ServerSource({
      id,
      from: this.spec.url,
      serverName,
      info: { contextLength, sizeBytes, slots, kinds, capabilities },
      health: this.#health,
      work: workOf(workshop),
      clock: this.#clock,
      logger: this.#logger,
    })
  }
}

function workOf(workshop: TextWorkshop): ServerWork {
  return async (job, run) => {
    if (job.kind === 'chat') await chatWork(job, workshop, run)
    else if (job.kind === 'completion') await completionWork(job, workshop, run)
    else if (job.kind === 'embedding') await embeddingWork(job, workshop, run)
    else run.refuse({ code: 'unsupported_kind', message: `this model does no work of kind ${job.kind}` })
  }
}
