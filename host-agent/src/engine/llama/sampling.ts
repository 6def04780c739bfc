import type { Sampling } from '@daisi/protocol'
import {
  type LlamaGrammarEvaluationState,
  type LlamaModel,
  type SequenceEvaluateOptions,
  type Token,
  TokenBias,
} from 'node-llama-cpp'
import { GrammarMeter } from './grammar-meter.ts'
import { NO_TOP_K, setLogitBias } from './native.ts'
import { randomSeed } from './seeds.ts'

/** Tokens that `repeatPenalty` looks back on, the prompt's included. */
const REPEAT_WINDOW = 64

/** The bias that forbids a token altogether, but for a token that is the only way to keep the output format. */
const FORBIDDING_BIAS = -100

/** What was written so far, as far as sampling depends on it. */
export interface SamplingHistory {
  readonly prompt: readonly Token[]
  readonly continuation: readonly Token[]
}

/** How the tokens of one answer are chosen. What depends on the answer so far is kept up to date by `accept`. */
export class TokenChoice {
  /** For `evaluate`. Of a `seed` only the per-token values derived from it are used. */
  readonly options: SequenceEvaluateOptions
  /** Undefined: always the most likely token, nothing is random. */
  readonly seed: number | undefined
  readonly #repeatable: Token[]
  readonly #bias: AnswerBias | undefined
  readonly #meter: GrammarMeter | undefined

  constructor(
    model: LlamaModel,
    sampling: Sampling,
    history: SamplingHistory,
    form?: { readonly hasGrammar: boolean; readonly state: () => LlamaGrammarEvaluationState | undefined },
  ) {
    const { temperature = 1, topP = 1, topK = 0, minP = 0, repeatPenalty = 1 } = sampling
    this.seed = temperature === 0 ? undefined : (sampling.seed ?? randomSeed())
    this.#repeatable = [...history.prompt, ...history.continuation].slice(-REPEAT_WINDOW)
    this.#bias = AnswerBias.for(model, sampling, form?.hasGrammar === true)
    for (const token of history.continuation) this.#bias?.count(token)
    const bias = this.#bias?.bias
    const grammar = form?.hasGrammar === true ? form.state : undefined
    const meter = grammar && new GrammarMeter()
    this.#meter = meter
    this.options = {
      temperature,
      yieldEogToken: true,
      ...(temperature !== 0 && { topP, minP, topK: topK === 0 ? NO_TOP_K : topK }),
      ...(repeatPenalty !== 1 && {
        repeatPenalty: {
          penalty: repeatPenalty,
          punishTokens: () => this.#repeatable,
          maxPunishTokens: REPEAT_WINDOW,
        },
      }),
      ...(bias !== undefined && { tokenBias: bias }),
      ...(grammar !== undefined && {
        // Asked for when the logits are there and sampling begins.
        grammarEvaluationState: () => {
          const state = grammar()
          if (state !== undefined) meter?.started()
          return state
        },
      }),
    }
  }

  /** The answer has one more token. Throws if its sampling took too long. */
  accept(token: Token): void {
    this.#meter?.finished()
    this.#repeatable.push(token)
    if (this.#repeatable.length > REPEAT_WINDOW) this.#repeatable.shift()
    this.#bias?.count(token)
  }

  /** No more tokens are chosen. */
  close(): void {
    this.#meter?.stop()
  }
}

/** Logit biases, and the penalties of an answer's own tokens, which are biases that grow with it. */
class AnswerBias {
  readonly bias: TokenBias
  readonly #fixed: ReadonlyMap<Token, number>
  readonly #frequencyPenalty: number
  readonly #presencePenalty: number
  readonly #counts = new Map<Token, number>()

  private constructor(model: LlamaModel, fixed: ReadonlyMap<Token, number>, sampling: Sampling) {
    this.bias = TokenBias.for(model)
    this.#fixed = fixed
    this.#frequencyPenalty = sampling.frequencyPenalty ?? 0
    this.#presencePenalty = sampling.presencePenalty ?? 0
    for (const [token, value] of fixed) setLogitBias(this.bias, token, value)
  }

  /** Undefined if no logit is changed. */
  static for(model: LlamaModel, sampling: Sampling, hasGrammar: boolean): AnswerBias | undefined {
    const { logitBias = {}, frequencyPenalty = 0, presencePenalty = 0 } = sampling
    const entries = Object.entries(logitBias)
    if (entries.length === 0 && frequencyPenalty === 0 && presencePenalty === 0) return undefined
    const fixed = new Map(
      entries.map(([id, value]) => [
        Number(id) as Token,
        value === FORBIDDING_BIAS && !hasGrammar ? Number.NEGATIVE_INFINITY : value,
      ]),
    )
    return new AnswerBias(model, fixed, sampling)
  }

  count(token: Token): void {
    if (this.#frequencyPenalty === 0 && this.#presencePenalty === 0) return
    const count = (this.#counts.get(token) ?? 0) + 1
    this.#counts.set(token, count)
    const penalty = this.#frequencyPenalty * count + this.#presencePenalty
    setLogitBias(this.bias, token, (this.#fixed.get(token) ?? 0) - penalty)
  }
}
