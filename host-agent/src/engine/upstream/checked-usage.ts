import { count, type JobUsage } from '@daisi/protocol'
import * as z from 'zod'

/** What a server counted, in OpenAI's shape. */
export const serverUsage = z.looseObject({
  prompt_tokens: count.nullish(),
  completion_tokens: count.nullish(),
  prompt_tokens_details: z.looseObject({ cached_tokens: count.nullish() }).nullish(),
})
export type ServerUsage = z.infer<typeof serverUsage>

/** What this Host knows itself. */
export interface UsageLimits {
  /** The most prompt tokens that are believed. */
  readonly promptTokens: number
  /** Tokens in the frames that were sent. */
  readonly generatedTokens: number
}

/**
 * What a job is said to have cost: what its server counted, as far as this Host's own knowledge allows it. A server that counts
 * nothing gets nothing for the prompt, and for the answer what was sent.
 */
export function checkedUsage(told: ServerUsage | undefined, limits: UsageLimits): JobUsage {
  const promptTokens = Math.min(told?.prompt_tokens ?? 0, limits.promptTokens)
  return {
    promptTokens,
    cachedTokens: Math.min(told?.prompt_tokens_details?.cached_tokens ?? 0, promptTokens),
    generatedTokens: Math.min(told?.completion_tokens ?? limits.generatedTokens, limits.generatedTokens),
  }
}
