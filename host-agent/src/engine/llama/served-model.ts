import type { EngineInfo, EngineJob } from '../engine.ts'
import { AnswerModel } from './answer-model.ts'
import { EmbeddingModel } from './embedding-model.ts'
import { loadModel, type LoadedModel } from './load.ts'
import { toLoadError } from './load-errors.ts'
import type { LoadOptions } from './load-options.ts'
import type { Emit, ModelRun } from './model-run.ts'
import { RankingModel } from './ranking-model.ts'

/** A loaded model with everything that it can do. Lives in the engine process. */
export class ServedModel {
  readonly info: EngineInfo
  readonly #loaded: LoadedModel
  readonly #answers: AnswerModel | undefined
  readonly #embedding: EmbeddingModel | undefined
  readonly #ranking: RankingModel | undefined

  private constructor(loaded: LoadedModel, answers: AnswerModel | undefined) {
    const { contextLength, sizeBytes, slots, kinds, capabilities } = loaded.facts
    this.info = { contextLength, sizeBytes, slots, kinds, capabilities }
    this.#loaded = loaded
    this.#answers = answers
    this.#embedding = kinds.includes('embedding') ? new EmbeddingModel(loaded) : undefined
    this.#ranking = kinds.includes('ranking') ? new RankingModel(loaded) : undefined
  }

  /** Throws `ModelLoadError`. */
  static async load(options: LoadOptions, onProgress?: (percent: number) => void): Promise<ServedModel> {
    const loaded = await loadModel(options, onProgress)
    try {
      const answers = loaded.facts.kinds.includes('chat') ? await AnswerModel.open(loaded) : undefined
      return new ServedModel(loaded, answers)
    } catch (error) {
      throw toLoadError(error, options.modelPath, '')
    }
  }

  /** Starts a job; its events go to `emit`. */
  run(job: EngineJob, signal: AbortSignal, emit: Emit): ModelRun {
    if ((job.kind === 'chat' || job.kind === 'completion') && this.#answers !== undefined)
      return this.#answers.run(job, signal, emit)
    if (job.kind === 'embedding' && this.#embedding !== undefined)
      return this.#embedding.run(job, signal, emit)
    if (job.kind === 'ranking' && this.#ranking !== undefined) return this.#ranking.run(job, signal, emit)
    const message = `this model does no work of kind ${job.kind}; choose one of ${this.info.kinds.join(', ')}`
    emit({ type: 'refused', refusal: { code: 'unsupported_kind', message } })
    return { grant: () => {}, done: Promise.resolve() }
  }

  async close(): Promise<void> {
    this.#answers?.close()
    await this.#loaded.model.llama.dispose()
  }
}
