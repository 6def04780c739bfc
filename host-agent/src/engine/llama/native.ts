import type {
  LlamaContext,
  LlamaContextSequence,
  LlamaGrammarEvaluationState,
  LlamaModel,
  SequenceEvaluateOptions,
  Token,
  TokenBias,
} from 'node-llama-cpp'

/**
 * What this engine needs of node-llama-cpp and its public interface does not offer, all in this file. It holds for the
 * pinned version; the tests of formats, log probabilities and biases fail if another one differs.
 */
interface NativeSampler {
  applyConfig(config: unknown): void
  dispose(): void
}

interface Bindings {
  readonly AddonSampler: (new (model: unknown) => NativeSampler) & {
    acceptGrammarEvaluationStateToken(state: unknown, token: number): void
    canBeNextTokenForGrammarEvaluationState(state: unknown, token: number): boolean
  }
}

interface ModelInside {
  readonly _model: unknown
  readonly _llama: { readonly _bindings: Bindings }
}

/** Without probabilities a sampled token; with them also [id, probability, id, probability, …], best first. */
type SampleToken = (
  logitIndex: number,
  sampler: NativeSampler,
  probabilities: boolean,
  confidence: boolean,
) => Promise<readonly [token: number, probabilities?: readonly number[]]>

/** The same, which answers with a list only where the last two are given. */
type SampleAnyToken = (...parameters: Parameters<SampleToken> | [number, NativeSampler]) => Promise<unknown>

interface SequenceInside {
  readonly _context: { readonly _ctx: { readonly sampleToken: SampleToken } }
  readonly _tokenMeter: unknown
  readonly _contextShift: unknown
  readonly _takeIntervalCheckpointIfNeededAfterBatch: unknown
  _resolveSamplerConfig(options: SequenceEvaluateOptions): unknown
  _decodeTokens<Result>(
    tokens: readonly Token[],
    logits: readonly boolean[],
    priority: number,
    meter: unknown,
    shift: unknown,
    mapper: (logitIndex: number) => Promise<Result>,
    afterBatch: unknown,
  ): Promise<readonly (Result | undefined)[]>
}

const DEFAULT_PRIORITY = 5

/** Takes tokens for read by a grammar, as if they had been sampled. False if it does not allow them. */
export function acceptTokens(
  state: LlamaGrammarEvaluationState,
  model: LlamaModel,
  tokens: readonly Token[],
): boolean {
  const { AddonSampler } = (model as unknown as ModelInside)._llama._bindings
  const inside = (state as unknown as { readonly _state: unknown })._state
  try {
    for (const token of tokens) AddonSampler.acceptGrammarEvaluationStateToken(inside, token)
    return true
  } catch {
    return false
  }
}

/** Whether a grammar allows a token next. */
export function allowsToken(state: LlamaGrammarEvaluationState, model: LlamaModel, token: Token): boolean {
  const { AddonSampler } = (model as unknown as ModelInside)._llama._bindings
  const inside = (state as unknown as { readonly _state: unknown })._state
  return AddonSampler.canBeNextTokenForGrammarEvaluationState(inside, token)
}

/** Sets what is added to a token's logit. The public method leaves out the tokens that end an answer. */
export function setLogitBias(bias: TokenBias, token: Token, value: number): void {
  ;(bias as unknown as { readonly _biases: Map<Token, number> })._biases.set(token, value)
}

/** Turns top-k off without a pass over the whole vocabulary: only an absent value leaves the step out. */
export const NO_TOP_K = null as unknown as number

/** A token, and how likely every token was for the model itself. */
export interface SampleWithProbabilities {
  readonly token: Token
  /** [id, probability, id, probability, …] of the whole vocabulary, best first. */
  readonly probabilities: readonly number[]
}

/** Stands for no token. */
const NO_TOKEN = -1

/**
 * Has a token that cannot be sampled end its own answer, with an error where its job waits. The library lets go of that error, which
 * would end the process and with it all answers: some grammars lead to where no token of the vocabulary fits.
 */
export function containSampling(context: LlamaContext): void {
  const { _ctx: inside } = context as unknown as { readonly _ctx: { readonly sampleToken: SampleAnyToken } }
  const sample = inside.sampleToken.bind(inside)
  const sampleToken: SampleAnyToken = async (...parameters) => {
    try {
      return await sample(...parameters)
    } catch {
      return parameters.length > 2 ? [NO_TOKEN] : NO_TOKEN
    }
  }
  Object.defineProperty(inside, 'sampleToken', { value: sampleToken })
}

/** Samples token by token as `evaluate` would, and reads the model's own probabilities off the same logits. */
export class ProbabilitySampler {
  readonly #sequence: SequenceInside
  readonly #chosen: NativeSampler
  readonly #raw: NativeSampler
  readonly #rawConfig: unknown

  constructor(sequence: LlamaContextSequence) {
    this.#sequence = sequence as unknown as SequenceInside
    const { _llama, _model } = sequence.model as unknown as ModelInside
    this.#chosen = new _llama._bindings.AddonSampler(_model)
    this.#raw = new _llama._bindings.AddonSampler(_model)
    this.#rawConfig = this.#sequence._resolveSamplerConfig({
      temperature: 0,
      topK: NO_TOP_K,
      topP: 1,
      seed: 0,
    })
  }

  /** Evaluates `tokens` and samples the next one; undefined if none can be sampled. */
  async next(
    tokens: readonly Token[],
    options: SequenceEvaluateOptions,
  ): Promise<SampleWithProbabilities | undefined> {
    const inside = this.#sequence
    const results = await inside._decodeTokens<SampleWithProbabilities | undefined>(
      tokens,
      tokens.map((_, index) => index === tokens.length - 1),
      DEFAULT_PRIORITY,
      inside._tokenMeter,
      inside._contextShift,
      (logitIndex) => this.#sample(logitIndex, options),
      inside._takeIntervalCheckpointIfNeededAfterBatch,
    )
    return results.at(-1)
  }

  close(): void {
    this.#chosen.dispose()
    this.#raw.dispose()
  }

  async #sample(
    logitIndex: number,
    options: SequenceEvaluateOptions,
  ): Promise<SampleWithProbabilities | undefined> {
    const { _ctx: context } = this.#sequence._context
    this.#raw.applyConfig(this.#rawConfig)
    const [, probabilities = []] = await context.sampleToken(logitIndex, this.#raw, true, false)
    this.#chosen.applyConfig(this.#sequence._resolveSamplerConfig(options))
    const [token] = await context.sampleToken(logitIndex, this.#chosen, false, false)
    return token < 0 ? undefined : { token: token as Token, probabilities }
  }
}
