import * as z from 'zod'
import { textsOrTokens } from './completions.schema.ts'
import type { EmbeddingRequest } from './embeddings.ts'

/** Inputs of one request at most. */
const MAX_INPUTS = 2_048

/** Body of `POST /v1/embeddings`. */
export const embeddingRequest = z.looseObject({
  model: z.string().min(1).max(128),
  input: textsOrTokens(MAX_INPUTS),
  encoding_format: z.enum(['float', 'base64']).nullish(),
  dimensions: z.int().min(1).max(65_536).nullish(),
  user: z.string().nullish(),
}) satisfies z.ZodType<EmbeddingRequest>
