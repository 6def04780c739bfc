import type { ModelOffer } from '@daisi/protocol'
import type { Logger } from 'pino'
import type { ModelSource } from '../model-source.ts'
import type { Engine } from '../engine.ts'
import { LlamaEngine } from './llama-engine.ts'
import type { LoadOptions } from './load-options.ts'
import type { ModelFacts } from './model-facts.ts'

export interface LlamaSourceOptions {
  readonly id: string
  readonly aliases?: readonly string[]
  readonly sha256: string
  readonly defaultSampling?: ModelSource['defaultSampling']
  /** As `inspectModel` found them with the same `load`. */
  readonly facts: ModelFacts
  readonly load: LoadOptions
  readonly logger: Logger
}

/** A model file on this machine that llama.cpp runs, each time it is opened in a process of its own. */
export class LlamaSource implements ModelSource {
  readonly offer: ModelOffer
  readonly from: string
  readonly memoryBytes: number
  readonly defaultSampling: ModelSource['defaultSampling']
  readonly #load: LoadOptions
  readonly #logger: Logger

  constructor({ id, aliases = [], sha256, defaultSampling = {}, facts, load, logger }: LlamaSourceOptions) {
    this.offer = {
      id,
      ...(aliases.length > 0 && { aliases: [...aliases] }),
      sha256,
      contextLength: facts.contextLength,
      sizeBytes: facts.sizeBytes,
      kinds: [...facts.kinds],
      capabilities: [...facts.capabilities],
    }
    this.from = load.modelPath
    this.memoryBytes = facts.memoryBytes + facts.vramBytes
    this.defaultSampling = defaultSampling
    // Loaded later, beside others: never with more context than is on offer.
    this.#load = { ...load, slots: facts.slots, contextLength: facts.contextLength }
    this.#logger = logger
  }

  open(onProgress: (percent: number) => void, signal: AbortSignal): Promise<Engine> {
    return LlamaEngine.open(this.#load, this.#logger, onProgress, signal)
  }
}
