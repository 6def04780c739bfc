import type { StreamEvent } from '@daisi/protocol'
import { within } from '../domain/within.ts'

/**
 * One server-sent event (WHATWG HTML §9.2): JSON, or the text `[DONE]`. Neither has a line break, since JSON writes those of texts as
 * escapes.
 */
export function sseEvent({ event, data }: StreamEvent): string {
  const text = data === '[DONE]' ? data : JSON.stringify(data)
  return event === undefined ? `data: ${text}\n\n` : `event: ${event}\ndata: ${text}\n\n`
}

/** Comments hold the connection open while nothing else is sent (rule A5). */
const KEEP_ALIVE_MS = 10_000
/** Bytes that wait for a slow reader before the source is asked for more. */
const BUFFER_BYTES = 64 * 1024

/**
 * Answers with the strings of `source` as they come, at the reader's pace. When the reader leaves, `source` is ended by
 * its `return` after `onCancel`.
 */
export function sseResponse(source: AsyncGenerator<string, void>, onCancel: () => void): Response {
  const encoder = new TextEncoder()
  let pending: Promise<IteratorResult<string, void>> | undefined
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        pending ??= source.next()
        const result = await within(pending, KEEP_ALIVE_MS)
        if (result === undefined) return controller.enqueue(encoder.encode(': keepalive\n\n'))
        pending = undefined
        if (result.done === true) controller.close()
        else controller.enqueue(encoder.encode(result.value))
      },
      async cancel() {
        onCancel()
        await source.return()
      },
    },
    new ByteLengthQueuingStrategy({ highWaterMark: BUFFER_BYTES }),
  )
  return new Response(body, {
    headers: {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache',
      'x-accel-buffering': 'no',
    },
  })
}
