import { readParts } from './read-body.ts'
import type { OpenAnswer } from './server-client.ts'
import { ServerError } from './server-error.ts'
import { decodePart, MOST_EVENT_BYTES } from './sse-events.ts'

/** What each line of an answer says. Throws a `ServerError` for what is not UTF-8 or does not end, or what `read` throws. */
export async function* jsonLineChunks<Chunk>(
  { body, limits }: OpenAnswer,
  read: (line: string) => Chunk,
): AsyncGenerator<Chunk, void, undefined> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let open = ''
  for await (const part of readParts(body, limits)) {
    const lines = (open + decodePart(decoder, part)).split('\n')
    open = lines.pop() ?? ''
    if (open.length > MOST_EVENT_BYTES)
      throw new ServerError('malformed', `a line of the answer has more than ${MOST_EVENT_BYTES} characters`)
    for (const line of lines) if (line.trim() !== '') yield read(line)
  }
  if (open.trim() !== '') yield read(open)
}
