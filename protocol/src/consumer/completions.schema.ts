import * as z from 'zod'
import { MAX_OUTPUT_TOKENS } from '../limits.ts'
import { MAX_CHOICES } from './chat.schema.ts'
import type { CompletionRequest } from './completions.ts'
import { streaming, tokenSampling } from './sampling.schema.ts'

/** Answers to all prompts of one request at most. */
export const MAX_COMPLETIONS = 16

const tokens = z.array(z.int().nonnegative()).min(1).max(1_048_576)

/** One text or several, as text or as ids of tokens. */
export function textsOrTokens(most: number) {
  return z.union([z.string(), z.array(z.string()).min(1).max(most), tokens, z.array(tokens).min(1).max(most)])
}

/** Body of `POST /v1/completions`. Loose as that of chats; see `unservedCompletionParameters`. */
export const completionRequest = z.looseObject({
  model: z.string().min(1).max(128),
  prompt: textsOrTokens(MAX_COMPLETIONS),
  suffix: z.string().nullish(),
  max_tokens: z.int().min(1).max(MAX_OUTPUT_TOKENS).nullish(),
  n: z.int().min(1).max(MAX_CHOICES).nullish(),
  echo: z.boolean().nullish(),
  logprobs: z.int().min(0).max(5).nullish(),
  user: z.string().nullish(),
  ...tokenSampling,
  ...streaming,
}) satisfies z.ZodType<CompletionRequest>

/** OpenAI's parameters that are not served, each with the values that ask for nothing and are therefore harmless. */
export const unservedCompletionParameters: Readonly<Record<string, readonly unknown[]>> = {
  best_of: [1],
}
