import {
  type ChatWrapper,
  type LlamaContext,
  type LlamaContextSequence,
  type LlamaGrammarEvaluationState,
  type Token,
} from 'node-llama-cpp'
import type { ChatJob, EngineRefusal } from '../engine.ts'
import { FrameAssembler } from '../output/frame-assembler.ts'
import { chatTemplateOf } from './chat-template.ts'
import { type Finish, generateAnswer } from './generation.ts'
import { openGrammar } from './grammar.ts'
import { GrammarTrial } from './grammar-trial.ts'
import type { LoadedModel } from './load.ts'
import { type Emit, failure, type ModelRun } from './model-run.ts'
import { containSampling } from './native.ts'
import { buildPrompt, type Prompt } from './prompt.ts'
import { TokenChoice } from './sampling.ts'
import { SequencePool } from './sequence-pool.ts'
import { StepGate } from './step-gate.ts'

/** Answers too short to measure: the first tokens of an answer say little about its speed. */
const SHORTEST_MEASURED = 16

/** A model that answers up to `slots` chats at once, in one context. Lives in the engine process. */
export class ChatModel {
  readonly #loaded: LoadedModel
  readonly #wrapper: ChatWrapper
  readonly #sequences: SequencePool
  readonly #vocabulary: number
  readonly #trial = new GrammarTrial()
  readonly #gate = new StepGate()

  private constructor(loaded: LoadedModel, context: LlamaContext) {
    this.#loaded = loaded
    this.#wrapper = chatTemplateOf(loaded.model)
    this.#sequences = new SequencePool(context)
    this.#vocabulary = loaded.model.fileInfo.metadata.tokenizer.ggml.tokens.length
  }

  static async open(loaded: LoadedModel): Promise<ChatModel> {
    const { model, facts, threads } = loaded
    const context = await model.createContext({
      sequences: facts.slots,
      contextSize: facts.contextLength,
      threads,
      ignoreMemorySafetyChecks: true,
      failedCreationRemedy: false,
    })
    containSampling(context)
    return new ChatModel(loaded, context)
  }

  /** Starts a job; its events go to `emit`. */
  run(job: ChatJob, signal: AbortSignal, emit: Emit): ModelRun {
    const output = new FrameAssembler(job.windowBytes, (piece) => emit({ type: 'delta', ...piece }))
    const done = this.#answer(job, signal, output, emit).catch((error: unknown) => {
      output.dispose()
      emit(failure(error))
    })
    return { grant: (bytes) => output.grant(bytes), done }
  }

  close(): void {
    this.#trial.close()
  }

  async #answer(job: ChatJob, signal: AbortSignal, output: FrameAssembler, emit: Emit): Promise<void> {
    const prompt = this.#prompt(job)
    const refusal = 'code' in prompt ? prompt : this.#check(job, prompt)
    if ('code' in prompt || refusal !== undefined) {
      if (refusal !== undefined) emit({ type: 'refused', refusal })
      return
    }
    const continuation = job.continuation as readonly Token[]
    const grammar =
      job.output && (await openGrammar(this.#loaded.model, job.output, continuation, this.#trial))
    if (grammar?.ok === false) return emit({ type: 'refused', refusal: grammar.refusal })
    const tokens = [...prompt.tokens, ...continuation]
    const sequence = await this.#gate.between(() => this.#sequences.acquire(tokens, job.scope))
    if (sequence === undefined) throw new Error('every sequence is in use')
    try {
      // The last token is always evaluated again: its logits choose the first token of the answer.
      await this.#gate.between(() => sequence.adaptStateToTokens(tokens.slice(0, -1), false))
      const cached = sequence.nextTokenIndex
      const promptTokens = prompt.tokens.length
      const cachedTokens = Math.min(cached, promptTokens)
      emit({ type: 'start', promptTokens, cachedTokens })
      const startedAt = performance.now()
      const finish = await this.#generate(
        job,
        prompt,
        grammar?.state,
        sequence,
        tokens.slice(cached),
        signal,
        output,
      )
      await output.finish(signal)
      const generatedTokens = output.emittedTokens
      emit({
        type: 'end',
        finishReason: signal.aborted ? 'cancelled' : finish.reason,
        usage: { promptTokens, cachedTokens, generatedTokens },
        ...speedOf(finish, startedAt),
      })
    } catch (error) {
      await this.#gate.between(() => sequence.clearHistory()).catch(() => {})
      throw error
    } finally {
      output.dispose()
      this.#sequences.release(sequence)
    }
  }

  #prompt(job: ChatJob): Prompt | EngineRefusal {
    try {
      return buildPrompt(this.#wrapper, this.#loaded.model, job.messages)
    } catch {
      // The template's own error may quote the conversation, so it goes no further.
      return {
        code: 'invalid_payload',
        message: "the model's chat template does not accept these messages; check their roles and order",
      }
    }
  }

  #check(job: ChatJob, prompt: Prompt): EngineRefusal | undefined {
    const { contextLength } = this.#loaded.facts
    const promptTokens = prompt.tokens.length
    if (promptTokens === 0) return { code: 'invalid_payload', message: 'the prompt is empty' }
    if (job.continuation.some((id) => id >= this.#vocabulary))
      return { code: 'invalid_payload', message: 'continuation has a token id that this model does not know' }
    if (Object.keys(job.sampling.logitBias ?? {}).some((id) => Number(id) >= this.#vocabulary))
      return { code: 'invalid_payload', message: 'logit_bias has a token id that this model does not know' }
    if (promptTokens + job.continuation.length < contextLength) return undefined
    const message = `the prompt has ${promptTokens} tokens and the context of this model ${contextLength}; shorten the prompt`
    return { code: 'context_length_exceeded', promptTokens, contextLength, message }
  }

  #generate(
    job: ChatJob,
    prompt: Prompt,
    grammar: LlamaGrammarEvaluationState | undefined,
    sequence: LlamaContextSequence,
    unevaluated: Token[],
    signal: AbortSignal,
    output: FrameAssembler,
  ): Promise<Finish> {
    const { sampling, logprobs } = job
    const continuation = job.continuation as readonly Token[]
    const history = { prompt: prompt.tokens, continuation }
    return generateAnswer({
      sequence,
      unevaluated,
      continuation,
      choice: new TokenChoice(sequence.model, sampling, history, grammar),
      logprobs,
      stops: [...sampling.stop, ...prompt.stopTexts],
      tokenLimit: Math.min(sampling.maxTokens, this.#loaded.facts.contextLength - prompt.tokens.length),
      stopTokens: prompt.stopTokens,
      output,
      gate: this.#gate,
      signal,
    })
  }
}

function speedOf(finish: Finish, startedAt: number): { tokensPerSecond?: number } {
  if (finish.generated < SHORTEST_MEASURED || finish.firstTokenAt < startedAt) return {}
  const seconds = (finish.lastTokenAt - finish.firstTokenAt - finish.pausedMs) / 1000
  return seconds > 0 ? { tokensPerSecond: (finish.generated - 1) / seconds } : {}
}
