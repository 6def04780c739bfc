import type { TokenSampling } from '../consumer/sampling.ts'
import type { Sampling } from '../host/chat-payload.ts'
import { type Capability, capability } from '../host/model.ts'

/** A parameter that not every Host can honour, and the ability that it takes. */
export interface ParameterNeed {
  /** As the Consumer's request names it. */
  readonly parameter: string
  readonly capability: Capability
}

const NEEDS: readonly (ParameterNeed & {
  readonly parameter: keyof TokenSampling
  readonly harmless?: unknown
})[] = [
  { parameter: 'seed', capability: capability.seed },
  { parameter: 'frequency_penalty', capability: capability.penalties, harmless: 0 },
  { parameter: 'presence_penalty', capability: capability.penalties, harmless: 0 },
  { parameter: 'logit_bias', capability: capability.logitBias },
  { parameter: 'top_k', capability: capability.topK },
  { parameter: 'min_p', capability: capability.minP },
  { parameter: 'repeat_penalty', capability: capability.repeatPenalty },
  { parameter: 'repetition_penalty', capability: capability.repeatPenalty },
]

/**
 * What a Host must be able to do so that no parameter of sampling is ignored (rule A9). Penalties of 0 and an empty bias ask for
 * nothing, and clients send them unasked; other values that change nothing may differ from the model's own default.
 */
export function samplingNeeds(request: TokenSampling): ParameterNeed[] {
  return NEEDS.filter(({ parameter, harmless }) => {
    const value = request[parameter] ?? undefined
    if (typeof value === 'object') return Object.keys(value).length > 0
    return value !== undefined && value !== harmless
  })
}

/**
 * What the Host is given. Parameters that the caller left out stay out: the model's own defaults count. OpenAI's `top_p: 0` means
 * the most likely token only. Each answer to one request has a seed of its own: the caller's, plus its number.
 */
export function toSampling(request: TokenSampling, maxTokens: number, choice = 0): Sampling {
  const greedy = request.top_p === 0
  const stop = request.stop ?? []
  return {
    ...given({
      temperature: greedy ? 0 : request.temperature,
      topP: greedy ? 1 : request.top_p,
      topK: request.top_k === -1 ? 0 : request.top_k,
      minP: request.min_p,
      repeatPenalty: request.repeat_penalty ?? request.repetition_penalty,
      frequencyPenalty: request.frequency_penalty,
      presencePenalty: request.presence_penalty,
      logitBias: request.logit_bias && { ...request.logit_bias },
      seed: typeof request.seed === 'number' ? request.seed + choice : undefined,
    }),
    maxTokens,
    stop: typeof stop === 'string' ? [stop] : [...stop],
  }
}

type Given<Values> = { [Name in keyof Values]?: NonNullable<Values[Name]> }

function given<Values extends object>(values: Values): Given<Values> {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined && value !== null)
  return Object.fromEntries(entries) as Given<Values>
}
