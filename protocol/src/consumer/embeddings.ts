/** Body of `POST /v1/embeddings`. */
export interface EmbeddingRequest {
  readonly model: string
  /** One input or up to 2,048, as text or as ids of tokens in the model's own vocabulary. */
  readonly input: string | readonly string[] | readonly number[] | readonly (readonly number[])[]
  /** `float` (default): numbers; `base64`: little-endian float32. */
  readonly encoding_format?: 'float' | 'base64' | null | undefined
  /**
   * Only so many leading numbers of each vector, scaled to length 1 again: good for models that were trained for it (Matryoshka
   * representation learning), a loss with others.
   */
  readonly dimensions?: number | null | undefined
  readonly user?: string | null | undefined
}

/** Answer of `POST /v1/embeddings`. */
export interface EmbeddingList {
  readonly object: 'list'
  readonly model: string
  /** One for each input, in order. */
  readonly data: Embedding[]
  readonly usage: { readonly prompt_tokens: number; readonly total_tokens: number }
}

export interface Embedding {
  readonly object: 'embedding'
  readonly index: number
  /** A vector of length 1: numbers, or base64 of little-endian float32 if it was asked for. */
  readonly embedding: number[] | string
}
