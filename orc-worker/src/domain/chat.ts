import { type ChatPayload, type ChatRequest, type ChatTurn, unsupportedChatParameters } from '@daisi/protocol'

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
export function chatPayload(request: ChatRequest, messages: ChatTurn[], maxTokens: number): ChatPayload {
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
