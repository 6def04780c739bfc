import * as z from 'zod'
import { count } from '../ids.ts'
import { chatPayload, sampling } from './chat-payload.ts'
import type { JobKind } from './model.ts'

/** Text, or ids of tokens in the model's own vocabulary. */
const textOrTokens = z.union([z.string(), z.array(count).min(1).max(1_048_576)])

/** Payload of a `run` of kind `completion`: the text goes on after the prompt, without any template. */
export const completionPayload = z.object({
  prompt: textOrTokens,
  /** What comes after the text that is asked for (fill in the middle). For Hosts with `infill`; the prompt is a string then. */
  suffix: z.string().optional(),
  sampling,
  /** As in `chatPayload`. */
  logprobs: z.int().min(0).max(20).optional(),
  countOnly: z.literal(true).optional(),
})
export type CompletionPayload = z.infer<typeof completionPayload>

/**
 * Payload of a `run` of kind `embedding`. One result for each input: its vector as little-endian float32 in base64. The tokens of
 * each input stand in the last frame of its result (P7).
 */
export const embeddingPayload = z.object({ input: z.array(textOrTokens).min(1).max(2_048) })
export type EmbeddingPayload = z.infer<typeof embeddingPayload>

/** Payload of a `run` of kind `ranking`. One result for each document: how well it answers the query, 0 to 1, as a JSON number. */
export const rankingPayload = z.object({
  query: z.string(),
  documents: z.array(z.string()).min(1).max(1_024),
})
export type RankingPayload = z.infer<typeof rankingPayload>

/** Largest side of an image, in pixels. */
export const MAX_IMAGE_SIDE = 2_048

/** Payload of a `run` of kind `image`. One result for each image: a PNG, JPEG or WebP file in base64. */
export const imagePayload = z.object({
  prompt: z.string().min(1).max(32_000),
  negativePrompt: z.string().max(32_000).optional(),
  count: z.int().min(1).max(10),
  width: z.int().min(64).max(MAX_IMAGE_SIDE),
  height: z.int().min(64).max(MAX_IMAGE_SIDE),
  steps: z.int().min(1).max(150).optional(),
  seed: z.int().nonnegative().optional(),
})
export type ImagePayload = z.infer<typeof imagePayload>

/** The payload of each kind of Job that is served. */
export const jobPayloads = {
  chat: chatPayload,
  completion: completionPayload,
  embedding: embeddingPayload,
  ranking: rankingPayload,
  image: imagePayload,
} as const satisfies Partial<Record<JobKind, z.ZodType>>
export type ServedKind = keyof typeof jobPayloads

/** Pixels for which one image costs as much as one token. */
const PIXELS_PER_TOKEN = 1_024

/** Characters of base64 that one token of an image's price stands for: its pixels at four bytes, not compressed at all. */
const CHARACTERS_PER_TOKEN = Math.ceil((PIXELS_PER_TOKEN * 4 * 4) / 3)
/** And beside its pixels: some programs write down in an image how it was made. */
const EXTRA_CHARACTERS = 1024 * 1024

/** The price of one image in tokens, rule P6: one for each 1,024 pixels begun. */
export function imageTokens(width: number, height: number): number {
  return Math.ceil((width * height) / PIXELS_PER_TOKEN)
}

/** The most characters of base64 that an image of this price may have (rule F9). */
export function imageCharacterLimit(tokens: number): number {
  return tokens * CHARACTERS_PER_TOKEN + EXTRA_CHARACTERS
}
