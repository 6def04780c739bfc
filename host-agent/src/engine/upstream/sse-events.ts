import { createParser } from 'eventsource-parser'
import { type BodyLimits, readParts } from './read-body.ts'
import { ServerError } from './server-error.ts'

/** Bytes that one event may have. A chunk of an answer stays far below. */
export const MOST_EVENT_BYTES = 256 * 1024

/**
 * The data of each event of an event stream. Throws a `ServerError` for bytes that are not UTF-8 and for an event that does not
 * end. That the stream was cut off cannot be seen here.
 */
export async function* sseEvents(
  body: ReadableStream<Uint8Array>,
  limits: BodyLimits,
): AsyncGenerator<string, void, undefined> {
  const events: string[] = []
  const decoder = new TextDecoder('utf-8', { fatal: true })
  // Bytes since the last event or comment ended; those of the part in which it ended count as a whole.
  let openBytes = 0
  const ended = (): void => {
    openBytes = 0
  }
  const parser = createParser({
    onEvent: ({ data }) => {
      ended()
      events.push(data)
    },
    onComment: ended,
  })
  for await (const part of readParts(body, limits)) {
    parser.feed(decode(decoder, part))
    openBytes += part.length
    if (openBytes > MOST_EVENT_BYTES)
      throw new ServerError('malformed', `an event of the answer has more than ${MOST_EVENT_BYTES} bytes`)
    yield* events.splice(0)
  }
}

function decode(decoder: TextDecoder, part: Uint8Array): string {
  try {
    return decoder.decode(part, { stream: true })
  } catch (cause) {
    throw new ServerError('malformed', 'the answer is not UTF-8', { cause })
  }
}
