import * as z from 'zod'
import { requestOptions } from './options.schema.ts'
import type { Quote, QuoteRequest } from './quote.ts'
import { errorCode } from './error.schema.ts'

const quotedEndpoint = z.enum([
  'chat.completions',
  'completions',
  'embeddings',
  'images.generations',
  'responses',
  'messages',
])

/** Body of `POST /v1/quote`. Strict, so that a request in the wrong place is told where it belongs. */
export const quoteRequest = z.strictObject({
  endpoint: quotedEndpoint.optional(),
  request: z.record(z.string(), z.unknown()),
  daisi: requestOptions.optional(),
}) satisfies z.ZodType<QuoteRequest>

const amount = z.int().nonnegative()

/** Answer of `POST /v1/quote`. */
export const quoteAnswer = z.object({
  object: z.literal('quote'),
  endpoint: quotedEndpoint,
  model: z.string(),
  credits: z.object({ minimum: amount, maximum: amount, held: amount }),
  prompt: z.object({ tokens: amount, exact: z.boolean() }),
  max_tokens: amount,
  free: z.boolean(),
  servable: z.boolean(),
  hosts: z.array(
    z.object({
      host: z.string(),
      network: z.string(),
      own: z.boolean(),
      state: z.enum(['loaded', 'loading', 'unloaded']),
      context_length: amount,
      free_slots: amount,
      tokens_per_second: z.number().nullable(),
    }),
  ),
  refusal: z.object({ code: errorCode, message: z.string() }).nullable(),
}) satisfies z.ZodType<Quote>
