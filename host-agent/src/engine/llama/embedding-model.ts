import { endianness } from 'node:os'
import type { LlamaEmbeddingContext, Token } from 'node-llama-cpp'
import type { EngineJob, EngineRefusal } from '../engine.ts'
import { type InputWork, runInputs } from './input-run.ts'
import type { LoadedModel } from './load.ts'
import { inputBatch, inputContext } from './memory-plan.ts'
import type { Emit, ModelRun } from './model-run.ts'

type EmbeddingJob = Extract<EngineJob, { kind: 'embedding' }>

/** Turns texts into vectors of length 1. Its context is made for the first job and serves one input at a time. */
export class EmbeddingModel {
  readonly #loaded: LoadedModel
  #context: Promise<LlamaEmbeddingContext> | undefined

  constructor(loaded: LoadedModel) {
    this.#loaded = loaded
  }

  run(job: EmbeddingJob, signal: AbortSignal, emit: Emit): ModelRun {
    const contextLength = inputContext(this.#loaded.facts.contextLength)
    return runInputs(job, contextLength, () => this.#prepare(job), signal, emit)
  }

  async #prepare({ input }: EmbeddingJob): Promise<InputWork> {
    const context = await (this.#context ??= this.#open())
    const { model } = this.#loaded
    const texts = input.map((text) => (typeof text === 'string' ? model.tokenize(text) : (text as Token[])))
    const vocabulary = model.fileInfo.metadata.tokenizer.ggml.tokens.length
    const unknown = texts.findIndex((tokens) => tokens.some((token) => token >= vocabulary))
    if (unknown >= 0)
      return { inputTokens: [], result: () => Promise.resolve(''), refusal: unknownToken(unknown) }
    return {
      inputTokens: texts.map((tokens) => (tokens.length === 0 ? 0 : context.calculateInputLength(tokens))),
      result: async (index) => {
        const { vector } = await context.getEmbeddingFor(texts[index] as Token[])
        return toBase64(vector)
      },
    }
  }

  async #open(): Promise<LlamaEmbeddingContext> {
    const { model, facts, threads } = this.#loaded
    const contextSize = inputContext(facts.contextLength)
    const batchSize = inputBatch(contextSize, facts.kinds)
    return model.createEmbeddingContext({ contextSize, batchSize, threads, ignoreMemorySafetyChecks: true })
  }
}

function unknownToken(index: number): EngineRefusal {
  const message = `input ${index} has a token id that this model does not know; send text`
  return { code: 'invalid_payload', field: 'input', message }
}

/** A vector scaled to length 1 as little-endian float32. */
function toBase64(vector: readonly number[]): string {
  const length = Math.hypot(...vector)
  const floats = Float32Array.from(vector, (value) => (length > 0 ? value / length : value))
  const bytes = Buffer.from(floats.buffer)
  return (endianness() === 'LE' ? bytes : bytes.swap32()).toString('base64')
}
