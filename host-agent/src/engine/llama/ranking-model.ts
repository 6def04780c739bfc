import type { LlamaRankingContext } from 'node-llama-cpp'
import type { EngineJob } from '../engine.ts'
import { type InputWork, runInputs } from './input-run.ts'
import type { LoadedModel } from './load.ts'
import { inputBatch, inputContext } from './memory-plan.ts'
import type { Emit, ModelRun } from './model-run.ts'

type RankingJob = Extract<EngineJob, { kind: 'ranking' }>

/** Says how well documents answer a query. Its context is made for the first job and serves one document at a time. */
export class RankingModel {
  readonly #loaded: LoadedModel
  #context: Promise<LlamaRankingContext> | undefined

  constructor(loaded: LoadedModel) {
    this.#loaded = loaded
  }

  run(job: RankingJob, signal: AbortSignal, emit: Emit): ModelRun {
    const contextLength = inputContext(this.#loaded.facts.contextLength)
    return runInputs(job, contextLength, () => this.#prepare(job), signal, emit)
  }

  async #prepare({ query, documents }: RankingJob): Promise<InputWork> {
    const context = await (this.#context ??= this.#open())
    const { model } = this.#loaded
    const queryTokens = model.tokenize(query, false, 'trimLeadingSpace')
    const texts = documents.map((document) => model.tokenize(document, false, 'trimLeadingSpace'))
    return {
      inputTokens: texts.map((tokens) => context.calculateInputLength(queryTokens, tokens)),
      result: async (index) => JSON.stringify(await context.rank(queryTokens, texts[index] ?? [])),
    }
  }

  async #open(): Promise<LlamaRankingContext> {
    const { model, facts, threads } = this.#loaded
    const contextSize = inputContext(facts.contextLength)
    const batchSize = inputBatch(contextSize, facts.kinds)
    return model.createRankingContext({ contextSize, batchSize, threads, ignoreMemorySafetyChecks: true })
  }
}
