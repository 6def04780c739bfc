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
  try {
    const vectors = [...list.data]
      .sort((a, b) => a.index - b.index)
      .map(({ index, embedding }, at) => {
        if (index !== at) throw new RangeError('not each input has one vector')
        return vectorOf(embedding)
      })
    return { model: list.model, vectors, usage: list.usage }
  } catch (cause) {
    const message = 'The answer to /embeddings is no list of vectors.'
    throw new DaisiError(message, { code: 'invalid_response', isRetryable: false, cause })
  }
}

function vectorOf(embedding: string | readonly number[]): Float32Array {
  if (typeof embedding !== 'string') return Float32Array.from(embedding)
  const { buffer, byteLength } = Uint8Array.from(atob(embedding), (character) => character.charCodeAt(0))
  const view = new DataView(buffer)
  // Half a number at the end is read beyond it, which throws.
  return Float32Array.from({ length: Math.ceil(byteLength / 4) }, (_, index) =>
    view.getFloat32(index * 4, true),
  )
}
