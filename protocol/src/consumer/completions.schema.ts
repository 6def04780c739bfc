import * as z from 'zod'
import { MAX_OUTPUT_TOKENS } from '../limits.ts'
import { MAX_CHOICES } from './chat.schema.ts'
import type { CompletionRequest } from './completions.ts'
import { streaming, tokenSampling } from './sampling.schema.ts'

/** Answers to all prompts of one request at most. */
export const MAX_COMPLETIONS = 16

const token = z.int().nonnegative()
const tokens = z.array(token).min(1).max(1_048_576)

/** One text or several, as text or as ids of tokens. */
export function textsOrTokens(most: number) {
  // One pass over the elements: a union of arrays would look at all of them once for each form, and note what is wrong with each.
  const some = z
    .array(z.union([z.string(), token, tokens]))
    .min(1)
    .max(1_048_576)
    .refine(
      (all) => all.every((one) => kindOf(one) === kindOf(all[0])),
      'must be texts, ids of tokens, or lists of ids',
    )
    .refine((all) => kindOf(all[0]) === 'number' || all.length <= most, `has at most ${most} elements`)
  return z.union([z.string(), some]) as unknown as z.ZodType<string | string[] | number[] | number[][]>
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

function kindOf(value: unknown): string {
  return Array.isArray(value) ? 'array' : typeof value
}
