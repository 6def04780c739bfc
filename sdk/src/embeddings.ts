import type { EmbeddingList, EmbeddingRequest } from '@daisi/protocol/consumer'
import { Daisi } from './daisi.ts'
import { DaisiError } from './error.ts'
import type { RequestOptions } from './options.ts'
import type { Transport } from './transport.ts'

/** What to turn into vectors. */
export type EmbeddingParameters = Omit<EmbeddingRequest, 'encoding_format'>

/** One vector for each input, in order. */
export interface Embeddings {
  readonly model: string
  readonly vectors: readonly Float32Array[]
  readonly usage: EmbeddingList['usage']
}

/**
 * Vectors of length 1 for texts: the more alike two texts are, the closer the product of their vectors is to 1. They travel as
 * base64, a quarter of what numbers would take.
 *
 * @throws {DaisiError} for instance `context_length_exceeded` with `param` `input`.
 * @example
 * ```ts
 * const { vectors } = await embed(daisi, { model: 'daisi-nano', input: ['A fox', 'A dog'] })
 * console.log(vectors.length, vectors[0]?.length)
 * ```
 */
export async function embed(
  daisi: Daisi,
  request: EmbeddingParameters,
  options?: RequestOptions,
): Promise<Embeddings> {
  const transport: Transport = Daisi.transportOf(daisi)
  const body = { ...request, encoding_format: 'base64' } as const
  const list = await transport.json<EmbeddingList>(
    { method: 'POST', path: '/embeddings', body, joinsSession: true },
    'list',
    options,
  )
  const vectors: Float32Array[] = []
  for (const { index, embedding } of list.data) vectors[index] = vectorOf(embedding)
  return { model: list.model, vectors, usage: list.usage }
}

function vectorOf(embedding: string | readonly number[]): Float32Array {
  if (typeof embedding !== 'string') return Float32Array.from(embedding)
  let bytes: Uint8Array
  try {
    bytes = Uint8Array.from(atob(embedding), (character) => character.charCodeAt(0))
  } catch (cause) {
    throw new DaisiError('A vector is no base64.', { code: 'invalid_response', isRetryable: false, cause })
  }
  const view = new DataView(bytes.buffer)
  return Float32Array.from({ length: Math.floor(bytes.length / 4) }, (_, index) =>
    view.getFloat32(index * 4, true),
  )
}
