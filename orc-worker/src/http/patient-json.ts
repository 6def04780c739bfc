import type { TextPart } from '../domain/image-list.ts'
import { within } from '../domain/within.ts'

/** An answer that is there by then is sent in one piece, with a status of its own if it is a fault. */
const HEADERS_AFTER_MS = 2_000
/** After that a space is sent this often: JSON allows it in front (RFC 8259 §2). */
const SPACE_EVERY_MS = 1_000

/**
 * Answers with JSON that may take long. While it waits, spaces keep proxies from cutting the connection, and tell us when
 * the reader is gone: a connection that was closed without a reset shows it only to a write. A fault after the headers have
 * left breaks the connection, so that it cannot pass for an answer.
 */
export async function patientJson(answer: Promise<unknown>, onCancel: () => void): Promise<Response> {
  const early = await within(answer, HEADERS_AFTER_MS)
  if (early !== undefined) return Response.json(early)
  const encoder = new TextEncoder()
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const value = await within(answer, SPACE_EVERY_MS)
      controller.enqueue(encoder.encode(value === undefined ? ' ' : JSON.stringify(value)))
      if (value !== undefined) controller.close()
    },
    cancel: onCancel,
  })
  return jsonResponse(body)
}

/**
 * The same for JSON that comes in parts, each of which is asked for when the one before was sent. A fault before the first part answers
 * with a status of its own, a later one breaks the connection.
 */
export async function patientParts(
  parts: AsyncIterator<TextPart, void>,
  onCancel: () => void,
): Promise<Response> {
  let next: Promise<IteratorResult<TextPart, void>> | undefined = ask(parts)
  await within(next, HEADERS_AFTER_MS)
  const encoder = new TextEncoder()
  let pieces: readonly string[] = []
  let sent = 0
  let mayPause = true
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      while (sent === pieces.length) {
        next ??= ask(parts)
        const part = mayPause ? await within(next, SPACE_EVERY_MS) : await next
        if (part === undefined) return controller.enqueue(encoder.encode(' '))
        if (part.done === true) return controller.close()
        next = undefined
        sent = 0
        ;({ pieces, mayPause } = part.value)
      }
      controller.enqueue(encoder.encode(pieces[sent]))
      sent++
    },
    cancel: onCancel,
  })
  return jsonResponse(body)
}

function ask(parts: AsyncIterator<TextPart, void>): Promise<IteratorResult<TextPart, void>> {
  const next = parts.next()
  // Whoever reads on hears of a fault; nobody else needs to.
  next.catch(() => undefined)
  return next
}

function jsonResponse(body: ReadableStream<Uint8Array>): Response {
  return new Response(body, { headers: { 'content-type': 'application/json' } })
}
