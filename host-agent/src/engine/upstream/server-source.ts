import type { ModelOffer } from '@daisi/protocol'
import type { ModelSource } from '../model-source.ts'
import { type Engine, type EngineInfo, ModelLoadError } from '../engine.ts'
import { ServerEngine, type ServerEngineOptions } from './server-engine.ts'
import { ServerError } from './server-error.ts'

export interface ServerSourceOptions extends ServerEngineOptions {
  /** How the model is offered. */
  readonly id: string
  /** Address of the server. */
  readonly from: string
}

/**
 * A model behind a server that the owner of this machine runs. The server loads it and decides its default sampling. Which file it
 * is made of nobody can know here, so that the offer has no hash.
 */
export class ServerSource implements ModelSource {
  readonly offer: ModelOffer
  readonly memoryBytes = 0
  readonly defaultSampling = {}
  /** Address of the server. */
  readonly from: string
  readonly #options: ServerSourceOptions

  constructor(options: ServerSourceOptions) {
    this.#options = options
    this.from = options.from
    this.offer = offerOf(options.id, options.info)
  }

  /** Ready as soon as the server answers and has the model. */
  async open(onProgress: (percent: number) => void, signal: AbortSignal): Promise<Engine> {
    const { health, serverName, from, id } = this.#options
    try {
      await health.look(signal)
    } catch (cause) {
      const reason = cause instanceof ServerError ? cause.message : 'it cannot be asked'
      throw new ModelLoadError('model_load_failed', `${id} is behind ${from}: ${reason}`, cause)
    }
    if (!health.serves(serverName)) {
      const message = `${from} has no model ${id} any more; add it there, or take the server away here`
      throw new ModelLoadError('model_unusable', message)
    }
    onProgress(100)
    return new ServerEngine(this.#options)
  }
}

function offerOf(id: string, { contextLength, sizeBytes, kinds, capabilities }: EngineInfo): ModelOffer {
  return {
    id,
    contextLength,
    ...(sizeBytes !== undefined && { sizeBytes }),
    kinds: [...kinds],
    capabilities: [...capabilities],
  }
}
