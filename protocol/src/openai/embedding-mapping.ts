import type OpenAI from 'openai'
import type { Embedding, EmbeddingList, EmbeddingRequest } from '../consumer/embeddings.ts'
import type { JobUsage } from '../host/job.ts'
import type { EmbeddingPayload } from '../host/job-payloads.ts'
import { inputTexts } from './input-texts.ts'

/** What the Host is given. */
export function toEmbeddingPayload({ input }: EmbeddingRequest): EmbeddingPayload {
  return { input: inputTexts(input) }
}

/** What has come of one input: a vector of little-endian float32 as base64, or undefined if it is none. */
export function readVector(base64: string): Float32Array | undefined {
  let bytes: Uint8Array
  try {
    bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
  } catch {
    return undefined
  }
  if (bytes.length === 0 || bytes.length % 4 !== 0) return undefined
  const view = new DataView(bytes.buffer)
  const vector = Float32Array.from({ length: bytes.length / 4 }, (_, index) =>
    view.getFloat32(index * 4, true),
  )
  return vector.every(Number.isFinite) ? vector : undefined
}

/** The first numbers of a vector, scaled to length 1 again. */
function shortened(vector: Float32Array, dimensions: number): Float32Array {
  const short = vector.subarray(0, dimensions)
  const length = Math.hypot(...short)
  return length > 0 ? short.map((value) => value / length) : short
}

/** One vector, as it was asked for: shorter, and in which form. Undefined if it has fewer numbers than were asked for. */
export function toEmbedding(
  { encoding_format: format, dimensions }: EmbeddingRequest,
  vector: Float32Array,
  index: number,
): Embedding | undefined {
  const most = dimensions ?? vector.length
  if (most > vector.length) return undefined
  const sized = most === vector.length ? vector : shortened(vector, most)
  const embedding = format === 'base64' ? toBase64(sized) : [...sized]
  // OpenAI's types know no base64.
  const fields: Record<keyof OpenAI.Embedding, unknown> & Embedding = {
    object: 'embedding',
    index,
    embedding,
  }
  return fields
}

/** What vectors took: each result states the tokens of its input (rule P7). */
export function embeddingUsage({ generatedTokens }: JobUsage): EmbeddingList['usage'] {
  return {
    prompt_tokens: generatedTokens,
    total_tokens: generatedTokens,
  } satisfies OpenAI.CreateEmbeddingResponse['usage']
}

function toBase64(vector: Float32Array): string {
  const view = new DataView(new ArrayBuffer(vector.length * 4))
  for (const [index, value] of vector.entries()) view.setFloat32(index * 4, value, true)
  let text = ''
  for (const byte of new Uint8Array(view.buffer)) text += String.fromCharCode(byte)
  return btoa(text)
}
