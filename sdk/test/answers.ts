import type {
  ChatCompletion,
  ChatCompletionChunk,
  ChatRequest,
  CompletionUsage,
} from '@daisi/protocol/consumer'

export const usage: CompletionUsage = {
  prompt_tokens: 5,
  completion_tokens: 3,
  total_tokens: 8,
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

/** Events as they go over the wire, `[DONE]` included. */
export function frames(events: readonly unknown[]): string {
  return `${events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')}data: [DONE]\n\n`
}

/** A whole stream at once. */
export function sse(events: readonly unknown[]): Response {
  return eventStream(new Blob([': keepalive\n\n', frames(events)]).stream())
}

export function eventStream(body: ReadableStream<Uint8Array>): Response {
  return new Response(body, {
    headers: { 'content-type': 'text/event-stream; charset=utf-8', 'x-request-id': 'req_1' },
  })
}
