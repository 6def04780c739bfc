import * as z from 'zod'
import type { EmbeddingList } from './embeddings.ts'
import type { ImageList } from './images.ts'

const amount = z.int().nonnegative()

/** Answer of `POST /v1/embeddings`. */
export const embeddingListAnswer = z.object({
  object: z.literal('list'),
  model: z.string(),
  data: z.array(
    z.object({
      object: z.literal('embedding'),
      index: amount,
      embedding: z.union([z.array(z.number()), z.string()]),
    }),
  ),
  usage: z.object({ prompt_tokens: amount, total_tokens: amount }),
}) satisfies z.ZodType<EmbeddingList>

/** Answer of `POST /v1/images/generations`. */
export const imageListAnswer = z.object({
  created: amount,
  output_format: z.enum(['png', 'jpeg', 'webp']),
  data: z.array(z.object({ b64_json: z.string() })),
  usage: z.object({
    input_tokens: amount,
    input_tokens_details: z.object({ text_tokens: amount, image_tokens: amount }),
    output_tokens: amount,
    total_tokens: amount,
  }),
}) satisfies z.ZodType<ImageList>
