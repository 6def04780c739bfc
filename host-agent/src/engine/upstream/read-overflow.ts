import { count } from '@daisi/protocol'
import * as z from 'zod'
import type { ContextOverflow } from './server-error.ts'

/** Where servers say why they refuse: OpenAI's shape, llama-server's numbers in it, and vLLM's older flat one. */
const details = z.looseObject({
  code: z.union([z.string(), z.number()]).nullish(),
  type: z.string().nullish(),
  message: z.string().nullish(),
  n_prompt_tokens: count.nullish(),
  n_ctx: count.nullish(),
})
const errorBody = z.union([z.looseObject({ error: details }).transform(({ error }) => error), details])

/** Reads from the body of an HTTP error whether the prompt was too long; undefined if it was not, or nothing says so. */
export function readOverflow(body: unknown): ContextOverflow | undefined {
  const { code, type, message, n_prompt_tokens, n_ctx } = errorBody.safeParse(body).data ?? {}
  const isOverflow =
    code === 'context_length_exceeded' ||
    type === 'exceed_context_size_error' ||
    /maximum context length/i.test(message ?? '')
  if (!isOverflow) return undefined
  return { promptTokens: n_prompt_tokens ?? undefined, contextLength: n_ctx ?? undefined }
}
