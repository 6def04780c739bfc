import type { ChatRequest } from '../consumer/chat.ts'
import { unsupportedChatParameters } from '../consumer/chat.schema.ts'
import type { ChatPayload, ChatTurn } from '../host/chat-payload.ts'
import { type Capability, capability } from '../host/model.ts'

// OpenAI's shapes on the one side, the work of a Host on the other. The Orc and a Host's Direct Connections share this.

/** The first parameter of a request that would change the answer and is not served (rule A3), or undefined. */
export function unsupportedParameter(request: Readonly<Record<string, unknown>>): string | undefined {
  for (const [name, harmless] of Object.entries(unsupportedChatParameters)) {
    const value = request[name]
    if (value === undefined || value === null || harmless.includes(value)) continue
    if (Array.isArray(value) && value.length === 0) continue
    if (typeof value === 'object' && 'type' in value && harmless.includes(value.type)) continue
    return name
  }
  return undefined
}

/** The conversation as plain turns: `developer` is OpenAI's later name of `system`, text parts become one text. */
export function chatTurns(request: ChatRequest): ChatTurn[] {
  return request.messages.map(({ role, content }) => ({
    role: role === 'developer' ? 'system' : role,
    content:
      typeof content === 'string'
        ? content
        : (content ?? []).map((part) => (part.type === 'text' ? part.text : '')).join(''),
  }))
}

/** The most tokens that the caller asked for, or undefined if it named none. */
export function requestedTokens(request: ChatRequest): number | undefined {
  return request.max_completion_tokens ?? request.max_tokens ?? undefined
}

/** A parameter that not every Host can honour, and the ability that it takes. */
export interface ParameterNeed {
  /** As the Consumer's request names it. */
  readonly parameter: string
  readonly capability: Capability
}

const NEEDS: readonly (ParameterNeed & {
  readonly parameter: keyof ChatRequest
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
 * What a Host must be able to do so that no parameter of this request is ignored (rule A9). Penalties of 0 and an empty bias ask for
 * nothing, and clients send them unasked; other values that change nothing may differ from the model's own default.
 */
export function chatNeeds(request: ChatRequest): ParameterNeed[] {
  return NEEDS.filter(({ parameter, harmless }) => {
    const value = request[parameter] ?? undefined
    if (typeof value === 'object') return Object.keys(value).length > 0
    return value !== undefined && value !== harmless
  })
}

/**
 * What the Host is given. Parameters that the caller left out stay out: the model's own defaults count. OpenAI's `top_p: 0` means
 * the most likely token only.
 */
export function toChatPayload(request: ChatRequest, messages: ChatTurn[], maxTokens: number): ChatPayload {
  const greedy = request.top_p === 0
  const stop = request.stop ?? []
  return {
    messages,
    sampling: {
      ...given({
        temperature: greedy ? 0 : request.temperature,
        topP: greedy ? 1 : request.top_p,
        topK: request.top_k === -1 ? 0 : request.top_k,
        minP: request.min_p,
        repeatPenalty: request.repeat_penalty ?? request.repetition_penalty,
        frequencyPenalty: request.frequency_penalty,
        presencePenalty: request.presence_penalty,
        logitBias: request.logit_bias && { ...request.logit_bias },
        seed: request.seed,
      }),
      maxTokens,
      stop: typeof stop === 'string' ? [stop] : [...stop],
    },
  }
}

type Given<Values> = { [Name in keyof Values]?: NonNullable<Values[Name]> }

function given<Values extends object>(values: Values): Given<Values> {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined && value !== null)
  return Object.fromEntries(entries) as Given<Values>
}
