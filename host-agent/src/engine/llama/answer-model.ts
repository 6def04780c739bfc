import type { LlamaContext, LlamaContextSequence, Token } from 'node-llama-cpp'
import type { ChatJob, CompletionJob, EngineRefusal } from '../engine.ts'
import { FrameAssembler } from '../output/frame-assembler.ts'
import { AnswerForm, begins } from './answer-form.ts'
import { CallGrammars } from './call-grammar.ts'
import { ChatTemplate } from './chat-template.ts'
import { completionPrompt } from './completion-prompt.ts'
import { type Finish, generateAnswer } from './generation.ts'
import { GrammarTrial } from './grammar-trial.ts'
import type { LoadedModel } from './load.ts'
import { type Emit, failure, type ModelRun } from './model-run.ts'
import { containSampling } from './native.ts'
import { markDetokenizer } from './mark-detokenizer.ts'
import { PromptLimits } from './prompt-limits.ts'
import type { Prompt } from './prompt.ts'
import { TokenChoice } from './sampling.ts'
import { SequencePool } from './sequence-pool.ts'
import { StepGate } from './step-gate.ts'

/** Answers too short to measure: the first tokens of an answer say little about its speed. */
const SHORTEST_MEASURED = 16

type InvalidField = NonNullable<Extract<EngineRefusal, { code: 'invalid_payload' }>['field']>

type AnswerJob = ChatJob | CompletionJob

/** A model that answers up to `slots` chats and completions at once, in one context. Lives in the engine process. */
export class AnswerModel {
  readonly #loaded: LoadedModel
  readonly #template: ChatTemplate
  readonly #detokenize: (ids: readonly number[]) => string
  readonly #sequences: SequencePool
  readonly #vocabulary: number
  readonly #trial = new GrammarTrial()
  readonly #callGrammars: CallGrammars
  readonly #gate = new StepGate()
  readonly #limits: PromptLimits

  private constructor(loaded: LoadedModel, context: LlamaContext) {
    this.#loaded = loaded
    this.#template = new ChatTemplate(loaded.model)
    this.#callGrammars = new CallGrammars(this.#template.calls)
    this.#detokenize = markDetokenizer(loaded.model, this.#template)
    this.#sequences = new SequencePool(context)
    this.#limits = new PromptLimits(loaded.model, loaded.facts.contextLength)
    this.#vocabulary = loaded.model.fileInfo.metadata.tokenizer.ggml.tokens.length
  }

  static async open(loaded: LoadedModel): Promise<AnswerModel> {
    const { model, facts, threads } = loaded
    const context = await model.createContext({
      sequences: facts.slots,
      contextSize: facts.contextLength,
      threads,
      ignoreMemorySafetyChecks: true,
      failedCreationRemedy: false,
    })
    containSampling(context)
    return new AnswerModel(loaded, context)
  }

  /** Starts a job; its events go to `emit`. */
  run(job: AnswerJob, signal: AbortSignal, emit: Emit): ModelRun {
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

  async #answer(job: AnswerJob, signal: AbortSignal, output: FrameAssembler, emit: Emit): Promise<void> {
    const tooLarge = await this.#limits.refusalOf(job)
    if (tooLarge !== undefined) return emit({ type: 'refused', refusal: tooLarge })
    const prompt = this.#prompt(job)
    const refusal = 'code' in prompt ? prompt : this.#check(job, prompt)
    if ('code' in prompt || refusal !== undefined) {
      if (refusal !== undefined) emit({ type: 'refused', refusal })
      return
    }
    if (job.countOnly === true) return countOnly(prompt, emit)
    const continuation = job.continuation as readonly Token[]
    const form = await this.#form(job, prompt)
    if ('code' in form) return emit({ type: 'refused', refusal: form })
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
      const finish = await this.#generate(job, prompt, form, sequence, tokens.slice(cached), signal, output)
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

  #prompt(job: AnswerJob): Prompt | EngineRefusal {
    if (job.kind === 'completion')
      return (
        completionPrompt(this.#loaded.model, job) ??
        invalid('suffix', 'this model fills in no middle; leave suffix out')
      )
    try {
      const prompt = this.#template.write(job)
      // What the model would begin a call with is there already: it has no other choice.
      return begins(job) === 'call'
        ? { ...prompt, tokens: [...prompt.tokens, ...this.#template.callOpening(prompt.opensThought)] }
        : prompt
    } catch {
      // The template's own error may quote the conversation, so it goes no further.
      return invalid(
        'messages',
        "the model's chat template does not accept these messages; check their roles and order, and that arguments of calls are JSON objects",
      )
    }
  }

  #form(job: AnswerJob, { opensThought }: Prompt): Promise<AnswerForm | EngineRefusal> {
    const { model } = this.#loaded
    if (job.kind === 'completion') return Promise.resolve(AnswerForm.plain(model))
    const context = {
      model,
      template: this.#template,
      trial: this.#trial,
      callGrammars: this.#callGrammars,
      detokenize: this.#detokenize,
      opensThought,
    }
    return AnswerForm.open(job, context)
  }

  #check(job: AnswerJob, prompt: Prompt): EngineRefusal | undefined {
    const { contextLength } = this.#loaded.facts
    const promptTokens = prompt.tokens.length
    const isUnknown = (id: number | string): boolean => Number(id) >= this.#vocabulary
    if (promptTokens === 0) return invalid('prompt', 'the prompt is empty')
    if (prompt.tokens.some(isUnknown))
      return invalid('prompt', 'the prompt has a token id that this model does not know')
    if (job.continuation.some(isUnknown))
      return invalid('continuation', 'continuation has a token id that this model does not know')
    if (Object.keys(job.sampling.logitBias ?? {}).some(isUnknown))
      return invalid('logitBias', 'a token id of the bias is none that this model knows')
    if (promptTokens + job.continuation.length < contextLength) return undefined
    const message = `the prompt has ${promptTokens} tokens and the context of this model ${contextLength}; shorten the prompt`
    return { code: 'context_length_exceeded', promptTokens, contextLength, message }
  }

  #generate(
    job: AnswerJob,
    prompt: Prompt,
    form: AnswerForm,
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
      choice: new TokenChoice(sequence.model, sampling, history, form),
      form,
      detokenize: this.#detokenize,
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

/** All of the prompt counts as cached: nothing was evaluated (J10). */
function countOnly({ tokens }: Prompt, emit: Emit): void {
  const promptTokens = tokens.length
  const counted = { promptTokens, cachedTokens: promptTokens }
  emit({ type: 'start', ...counted })
  emit({ type: 'end', finishReason: 'stop', usage: { ...counted, generatedTokens: 0 } })
}

function invalid(field: InvalidField, message: string): EngineRefusal {
  return { code: 'invalid_payload', field, message }
}

function speedOf(finish: Finish, startedAt: number): { tokensPerSecond?: number } {
  if (finish.generated < SHORTEST_MEASURED || finish.firstTokenAt < startedAt) return {}
  const seconds = (finish.lastTokenAt - finish.firstTokenAt - finish.pausedMs) / 1000
  return seconds > 0 ? { tokensPerSecond: (finish.generated - 1) / seconds } : {}
}
