import type { Consumer, Network } from './network.ts'

/** `POST /v1/chat/completions` as it is on the wire. */
export function post(
  network: Network,
  consumer: Consumer,
  body: Readonly<Record<string, unknown>>,
  init: { readonly signal?: AbortSignal; readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<Response> {
  const headers = {
    authorization: `Bearer ${consumer.key.key}`,
    'content-type': 'application/json',
    ...init.headers,
  }
  const request = { messages: [{ role: 'user', content: 'Hello' }], temperature: 0, ...body }
  return fetch(`${network.url}/v1/chat/completions`, {
    method: 'POST',
    headers,
    body: JSON.stringify(request),
    ...(init.signal === undefined ? {} : { signal: init.signal }),
  })
}

/** One event of a chat stream: a chunk, an error, or the last word. */
export type StreamEvent =
  | {
      readonly choices?: readonly { readonly delta: { readonly content?: string | null } }[]
      readonly usage?: unknown
      readonly error?: { readonly code: string }
    }
  | '[DONE]'

/** Reads the events of a stream as they come. */
export async function* readStream(response: Response): AsyncGenerator<StreamEvent, void> {
  if (response.status !== 200 || response.body === null) throw new Error(await response.text())
  let rest = ''
  for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
    const blocks = (rest + text).split('\n\n')
    rest = blocks.pop() ?? ''
    for (const block of blocks) {
      if (!block.startsWith('data: ')) continue
      const data = block.slice('data: '.length)
      yield data === '[DONE]' ? data : JSON.parse(data)
    }
  }
}

/** Whether an event brings text. */
export function bringsText(event: StreamEvent): boolean {
  return event !== '[DONE]' && (event.choices?.[0]?.delta.content ?? '') !== ''
}

/** The stable code of an error answer. */
export async function errorCode(response: Response): Promise<string> {
  const { error }: { error: { code: string } } = JSON.parse(await response.text())
  return error.code
}
