import { count } from '@daisi/protocol'
import * as z from 'zod'
import { ServerError } from './server-error.ts'

const BYTES_PER_NUMBER = 4
/** Numbers of the longest vector. */
const MOST_DIMENSIONS = 65_536

/** Answer of `POST /v1/embeddings`. Some servers give vectors in base64 although numbers were asked for. */
export const embeddingAnswer = z.looseObject({
  data: z.array(
    z.looseObject({
      index: count,
      embedding: z.union([z.array(z.number()).min(1).max(MOST_DIMENSIONS), z.base64().min(4)]),
    }),
  ),
  usage: z.looseObject({ prompt_tokens: count.nullish() }).nullish().catch(undefined),
})
export type EmbeddingAnswer = z.infer<typeof embeddingAnswer>

/** The vectors of `inputs` inputs in their order, each as little-endian float32 in base64. Throws a `ServerError`. */
export function vectorsOf({ data }: EmbeddingAnswer, inputs: number): readonly string[] {
  const vectors = data.toSorted((a, b) => a.index - b.index).map(({ embedding }) => bytesOf(embedding))
  const isComplete = data.length === inputs && new Set(data.map(({ index }) => index)).size === inputs
  const lengths = new Set(vectors.map((bytes) => bytes.length))
  if (!isComplete || lengths.size > 1)
    throw new ServerError('malformed', 'the server did not answer with one vector for each input')
  return vectors.map((bytes) => bytes.toString('base64'))
}

function bytesOf(embedding: EmbeddingAnswer['data'][number]['embedding']): Buffer {
  const bytes =
    typeof embedding === 'string'
      ? Buffer.from(embedding, 'base64')
      : Buffer.alloc(embedding.length * BYTES_PER_NUMBER)
  if (typeof embedding !== 'string')
    for (const [index, value] of embedding.entries()) bytes.writeFloatLE(value, index * BYTES_PER_NUMBER)
  if (bytes.length === 0 || bytes.length % BYTES_PER_NUMBER !== 0) throw notNumbers()
  for (let at = 0; at < bytes.length; at += BYTES_PER_NUMBER)
    if (!Number.isFinite(bytes.readFloatLE(at))) throw notNumbers()
  return bytes
}

function notNumbers(): ServerError {
  return new ServerError('malformed', 'the server answered with a vector that has no numbers')
}
