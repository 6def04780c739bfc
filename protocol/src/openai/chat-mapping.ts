import type { ChatRequest } from '../consumer/chat.ts'
import { unsupportedChatParameters } from '../consumer/chat.schema.ts'
import type { ChatPayload, ChatTurn } from '../host/chat-payload.ts'

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
    content: typeof content === 'string' ? content : content.map((part) => part.text).join(''),
  }))
}

/** The most tokens that the caller asked for, or undefined if it named none. */
export function requestedTokens(request: ChatRequest): number | undefined {
  return request.max_completion_tokens ?? request.max_tokens ?? undefined
}

/** What the Host is given. OpenAI's `top_p: 0` means the most likely token only. */
export function toChatPayload(request: ChatRequest, messages: ChatTurn[], maxTokens: number): ChatPayload {
  const greedy = request.top_p === 0
  const stop = request.stop ?? []
  return {
    messages,
    sampling: {
      temperature: greedy ? 0 : (request.temperature ?? 1),
      topP: greedy ? 1 : (request.top_p ?? 1),
      ...(request.seed === undefined || request.seed === null ? {} : { seed: request.seed }),
      maxTokens,
      stop: typeof stop === 'string' ? [stop] : [...stop],
    },
  }
}
