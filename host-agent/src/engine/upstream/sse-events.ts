import { createParser } from 'eventsource-parser'
import { type BodyLimits, readParts } from './read-body.ts'
import type { OpenAnswer } from './server-client.ts'
import { ServerError } from './server-error.ts'

/** Bytes that one event may have. A chunk of an answer stays far below. */
export const MOST_EVENT_BYTES = 256 * 1024

/** What each event of an answer says. Throws a `ServerError` for an answer that is no stream of events, or what `read` throws. */
export async function* sseChunks<Chunk>(
  { contentType, body, limits }: OpenAnswer,
  read: (data: string) => Chunk,
): AsyncGenerator<Chunk, void, undefined> {
  if (!contentType.startsWith('text/event-stream')) {
    await body.cancel()
    throw new ServerError('malformed', 'the server did not answer with a stream of events')
  }
  for await (const data of sseEvents(body, limits)) yield read(data)
}

/**
 * The data of each event of an event stream. Throws a `ServerError` for bytes that are not UTF-8 and for an event that does not
 * end. That the stream was cut off cannot be seen here.
 */
async function* sseEvents(
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
    parser.feed(decodePart(decoder, part))
    openBytes += part.length
    if (openBytes > MOST_EVENT_BYTES)
      throw new ServerError('malformed', `an event of the answer has more than ${MOST_EVENT_BYTES} bytes`)
    yield* events.splice(0)
  }
}

/** The text of a part. Throws a `ServerError` for what is not UTF-8. */
export function decodePart(decoder: TextDecoder, part: Uint8Array): string {
  try {
    return decoder.decode(part, { stream: true })
  } catch (cause) {
    throw new ServerError('malformed', 'the answer is not UTF-8', { cause })
  }
}
