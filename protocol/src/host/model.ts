import * as z from 'zod'
import { count, sha256Hex } from '../ids.ts'

/** Kinds of work. Only `chat` is served today; the others are reserved so that the wire does not change later (J1). */
export const jobKind = z.enum(['chat', 'completion', 'embedding', 'image', 'tool'])
export type JobKind = z.infer<typeof jobKind>

/** One model that a Host serves. */
export const modelOffer = z.object({
  /** Name that Consumers ask for. */
  id: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$/, 'must be a model id'),
  /** Absent when the Host cannot know the file, for instance behind another server. Such Hosts take no continuations. */
  sha256: sha256Hex.optional(),
  /** Tokens that prompt and answer together may have. */
  contextLength: z.int().positive().max(100_000_000),
  sizeBytes: count.optional(),
  kinds: z.array(jobKind).min(1).max(8),
  /** Optional abilities, for instance `token-ids`, `continuation`. Unknown names are ignored. */
  capabilities: z.array(z.string().max(64)).max(64),
})
export type ModelOffer = z.infer<typeof modelOffer>
