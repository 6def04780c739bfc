import * as z from 'zod'
import type { Model, ModelList } from './models.ts'

const amount = z.int().nonnegative()

/** Answer of `GET /v1/models/{model}`. */
export const modelAnswer = z.object({
  id: z.string(),
  object: z.literal('model'),
  created: amount,
  owned_by: z.string(),
  aliases: z.array(z.string()),
  context_length: amount,
  kinds: z.array(z.enum(['chat', 'completion', 'embedding', 'ranking', 'image'])),
  capabilities: z.record(z.string(), amount),
  hosts_online: amount,
  hosts_loaded: amount,
}) satisfies z.ZodType<Model>

/** Answer of `GET /v1/models`. */
export const modelListAnswer = z.object({
  object: z.literal('list'),
  data: z.array(modelAnswer),
}) satisfies z.ZodType<ModelList>
