import type {
  ChatCompletion,
  ChatCompletionChunk,
  ChatRequest,
  CompletionUsage,
} from '@daisi/protocol/consumer'

export const usage: CompletionUsage = {
  prompt_tokens: 5,
  completion_tokens: 4,
  total_tokens: 9,
  prompt_tokens_details: { cached_tokens: 0 },
}

/** What every fake answer says. Its characters take one to four bytes in UTF-8. */
export const TEXT = 'Grüße, Ω → 🌍!'

export function wholeAnswer({ model }: ChatRequest): ChatCompletion {
  const message = { role: 'assistant', content: TEXT, refusal: null } as const
  return {
    id: 'chatcmpl_1',
    object: 'chat.completion',
    created: 1,
    model,
    choices: [{ index: 0, message, logprobs: null, finish_reason: 'stop' }],
    usage,
  }
}

/** The same answer as a stream (A5): role, text, finish_reason, usage. */
export function chunks({ model, stream_options: options }: ChatRequest): ChatCompletionChunk[] {
  const head = { id: 'chatcmpl_1', object: 'chat.completion.chunk', created: 1, model } as const
  const choice = (
    delta: { role?: 'assistant'; content?: string },
    finish: 'stop' | null,
  ): ChatCompletionChunk => ({
    ...head,
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
  })
  return [
    choice({ role: 'assistant', content: '' }, null),
    ...TEXT.split(' ').map((word, index) => choice({ content: index === 0 ? word : ` ${word}` }, null)),
    choice({}, 'stop'),
    ...(options?.include_usage === true ? [{ ...head, choices: [], usage }] : []),
  ]
}

/** Generated tokens up to an event of {@link chunks}: a Host counts one for each word (D4). */
function tokensUpTo(event: unknown): number | undefined {
  const { choices } = event as Partial<ChatCompletionChunk>
  const content = choices?.[0]?.delta?.content
  if (choices === undefined || content === undefined) return choices && usage.completion_tokens
  return content === '' ? 0 : TEXT.split(/(?= )/).indexOf(content) + 1
}

/** Who answers: a Host numbers its events and states the prompt's tokens (D4), an Orc does neither. */
export type Answerer = 'orc' | 'host'

/** One event as it goes over the wire. */
export function eventText(event: unknown, by: Answerer = 'orc'): string {
  const tokens = by === 'host' ? tokensUpTo(event) : undefined
  return `${tokens === undefined ? '' : `id: ${tokens}\n`}data: ${JSON.stringify(event)}\n\n`
}

/** Events as they go over the wire, `[DONE]` included. */
export function frames(events: readonly unknown[], by: Answerer = 'orc'): string {
  return `${events.map((event) => eventText(event, by)).join('')}data: [DONE]\n\n`
}

/** A whole stream at once. */
export function sse(events: readonly unknown[], by: Answerer = 'orc'): Response {
  return eventStream(new Blob([': keepalive\n\n', frames(events, by)]).stream(), by)
}

export function eventStream(body: ReadableStream<Uint8Array>, by: Answerer = 'orc'): Response {
  const headers = new Headers({ 'content-type': 'text/event-stream; charset=utf-8' })
  if (by === 'orc') headers.set('x-request-id', 'req_1')
  else {
    headers.set('daisi-prompt-tokens', String(usage.prompt_tokens))
    headers.set('daisi-cached-tokens', String(usage.prompt_tokens_details.cached_tokens))
  }
  return new Response(body, { headers })
}
