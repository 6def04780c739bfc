import * as z from 'zod'
import { count, sha256Hex } from '../ids.ts'

/** Kinds of work. `tool` is reserved so that the wire does not change later (J1). */
export const jobKind = z.enum(['chat', 'completion', 'embedding', 'ranking', 'image', 'tool'])
export type JobKind = z.infer<typeof jobKind>

/** Name that Consumers ask for a model by. */
export const modelId = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$/, 'must be a model id')

/** One model that a Host serves. */
export const modelOffer = z.object({
  id: modelId,
  /** Further names that it answers to. */
  aliases: z.array(modelId).max(16).optional(),
  /** Absent when the Host cannot know the file, for instance behind another server. Such Hosts take no continuations. */
  sha256: sha256Hex.optional(),
  /** Tokens that prompt and answer together may have. */
  contextLength: z.int().positive().max(100_000_000),
  sizeBytes: count.optional(),
  kinds: z.array(jobKind).min(1).max(8),
  /** Optional abilities, see `capability`. Unknown names are ignored. */
  capabilities: z.array(z.string().max(64)).max(64),
})
export type ModelOffer = z.infer<typeof modelOffer>

/** Abilities of a model on its Host that this version knows. A Host names only what it can really do. */
export const capability = {
  /** Frames carry the ids of their tokens. */
  tokenIds: 'token-ids',
  /** Takes continuations (J8). */
  continuation: 'continuation',
  logprobs: 'logprobs',
  /** `output` of type `grammar`. */
  grammar: 'grammar',
  /** `output` of type `json` and `json-schema`. */
  jsonSchema: 'json-schema',
  topK: 'top-k',
  minP: 'min-p',
  repeatPenalty: 'repeat-penalty',
  /** Frequency and presence penalty. */
  penalties: 'penalties',
  logitBias: 'logit-bias',
  seed: 'seed',
  /** Calls tools: frames have parts, and tools and their results may stand in a prompt. */
  tools: 'tools',
  /** Can be told how much to think. */
  reasoningEffort: 'reasoning-effort',
  /** Sees images in a conversation. */
  vision: 'vision',
  /** Fills in the middle: `suffix` of a completion. */
  infill: 'infill',
  /** Counts prompts exactly, without working on them (J10). */
  countOnly: 'count-only',
  /** Of images: what they shall not show. */
  negativePrompt: 'negative-prompt',
  /** Of images: how many steps the sampler takes. */
  steps: 'steps',
} as const
export type Capability = (typeof capability)[keyof typeof capability]

/** How far a model is from being ready to work. */
export const modelState = z.object({
  id: modelId,
  state: z.enum(['unloaded', 'loading', 'loaded', 'failed']),
  /** Of the loading, 0 to 100. */
  percent: z.int().min(0).max(100).optional(),
})
export type ModelState = z.infer<typeof modelState>

/** Host → Orc: what it serves now, in place of what `hello` said (H9). */
export const models = z.object({ type: z.literal('models'), models: z.array(modelOffer).max(64) })
export type Models = z.infer<typeof models>
