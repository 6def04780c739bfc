import type { Sampling } from '@daisi/protocol'
import type { LlamaContextSequence, Token } from 'node-llama-cpp'
import type { EngineEvent, EngineInfo, EngineJob, EngineRefusal } from '../engine.ts'
import { FrameAssembler } from '../output/frame-assembler.ts'
import { type Finish, generateAnswer } from './generation.ts'
import { type LoadedModel, type LoadOptions, loadModel } from './load.ts'
import { buildPrompt, type Prompt } from './prompt.ts'
import { SequencePool } from './sequence-pool.ts'

/** Answers too short to measure: the first tokens of an answer say little about its speed. */
const SHORTEST_MEASURED = 16

/** A job under way. */
export interface ChatRun {
  /** Allows more bytes of frames (F5). */
  grant(bytes: number): void
  readonly done: Promise<void>
}

/** One loaded model, answering up to `slots` chats at once. Lives in the engine process. */
export class ChatModel {
  readonly info: EngineInfo
  readonly #loaded: LoadedModel
  readonly #sequences: SequencePool
  readonly #vocabulary: number

  constructor(loaded: LoadedModel) {
    const { context, model } = loaded
    this.info = {
      contextLength: context.contextSize,
      sizeBytes: loaded.sizeBytes,
      slots: context.totalSequences,
    }
    this.#loaded = loaded
    this.#sequences = new SequencePool(context)
    this.#vocabulary = model.fileInfo.metadata.tokenizer.ggml.tokens.length
  }

  static async load(options: LoadOptions): Promise<ChatModel> {
    return new ChatModel(await loadModel(options))
  }

  /** Starts a job; its events go to `emit`. */
  run(job: EngineJob, signal: AbortSignal, emit: (event: EngineEvent) => void): ChatRun {
    const output = new FrameAssembler(job.windowBytes, ({ text, tokenIds }) =>
      emit({ type: 'delta', text, tokenIds }),
    )
    const done = this.#answer(job, signal, output, emit).catch((error: unknown) => {
      output.dispose()
      emit({ type: 'failed', message: error instanceof Error ? error.message : 'unknown error' })
    })
    return { grant: (bytes) => output.grant(bytes), done }
  }

  async close(): Promise<void> {
    await this.#loaded.model.llama.dispose()
  }

  async #answer(
    job: EngineJob,
    signal: AbortSignal,
    output: FrameAssembler,
    emit: (event: EngineEvent) => void,
  ): Promise<void> {
    const prompt = this.#prompt(job)
    const refusal = 'code' in prompt ? prompt : this.#check(job, prompt)
    if ('code' in prompt || refusal !== undefined) {
      if (refusal !== undefined) emit({ type: 'refused', refusal })
      return
    }
    const tokens = [...prompt.tokens, ...(job.continuation as readonly Token[])]
    const sequence = this.#sequences.acquire(tokens)
    if (sequence === undefined) throw new Error('every sequence is in use')
    try {
      // The last token is always evaluated again: its logits choose the first token of the answer.
      await sequence.adaptStateToTokens(tokens.slice(0, -1), false)
      const cached = sequence.nextTokenIndex
      const promptTokens = prompt.tokens.length
      const cachedTokens = Math.min(cached, promptTokens)
      emit({ type: 'start', promptTokens, cachedTokens })
      const startedAt = performance.now()
      const finish = await this.#generate(job, prompt, sequence, tokens.slice(cached), signal, output)
      await output.finish(signal)
      const generatedTokens = output.emittedTokens
      emit({
        type: 'end',
        finishReason: signal.aborted ? 'cancelled' : finish.reason,
        usage: { promptTokens, cachedTokens, generatedTokens },
        ...speedOf(finish, startedAt),
      })
    } catch (error) {
      await sequence.clearHistory().catch(() => {})
      throw error
    } finally {
      output.dispose()
      this.#sequences.release(sequence)
    }
  }

  #prompt(job: EngineJob): Prompt | EngineRefusal {
    try {
      return buildPrompt(this.#loaded.wrapper, this.#loaded.model, job.messages)
    } catch {
      // The template's own error may quote the conversation, so it goes no further.
      return {
        code: 'invalid_payload',
        message: "the model's chat template does not accept these messages; check their roles and order",
      }
    }
  }

  #check(job: EngineJob, prompt: Prompt): EngineRefusal | undefined {
    const { contextLength } = this.info
    const promptTokens = prompt.tokens.length
    if (promptTokens === 0) return { code: 'invalid_payload', message: 'the prompt is empty' }
    if (job.continuation.some((id) => id >= this.#vocabulary))
      return { code: 'invalid_payload', message: 'continuation has a token id that this model does not know' }
    if (promptTokens + job.continuation.length < contextLength) return undefined
    const message = `the prompt has ${promptTokens} tokens and the context of this model ${contextLength}; shorten the prompt`
    return { code: 'context_length_exceeded', promptTokens, contextLength, message }
  }

  #generate(
    job: EngineJob,
    prompt: Prompt,
    sequence: LlamaContextSequence,
    unevaluated: Token[],
    signal: AbortSignal,
    output: FrameAssembler,
  ): Promise<Finish> {
    const sampling: Sampling = job.sampling
    return generateAnswer({
      sequence,
      unevaluated,
      continuation: job.continuation as readonly Token[],
      sampling: { ...sampling, stop: [...sampling.stop, ...prompt.stopTexts] },
      tokenLimit: Math.min(sampling.maxTokens, this.info.contextLength - prompt.tokens.length),
      stopTokens: prompt.stopTokens,
      output,
      signal,
    })
  }
}

function speedOf(finish: Finish, startedAt: number): { tokensPerSecond?: number } {
  if (finish.generated < SHORTEST_MEASURED || finish.firstTokenAt < startedAt) return {}
  const seconds = (finish.lastTokenAt - finish.firstTokenAt - finish.pausedMs) / 1000
  return seconds > 0 ? { tokensPerSecond: (finish.generated - 1) / seconds } : {}
}
