import * as z from 'zod'
import type { ChatCompletion, ChatCompletionChunk, CompletionUsage } from './chat.ts'
import type { Completion } from './completions.ts'

const amount = z.int().nonnegative()
const finishReason = z.enum(['stop', 'length', 'tool_calls'])

const completionUsage = z.object({
  prompt_tokens: amount,
  completion_tokens: amount,
  total_tokens: amount,
  prompt_tokens_details: z.object({ cached_tokens: amount }),
}) satisfies z.ZodType<CompletionUsage>

const probability = z.object({ token: z.string(), logprob: z.number(), bytes: z.array(z.int()).nullable() })
const logprobs = z
  .object({
    content: z.array(z.object({ ...probability.shape, top_logprobs: z.array(probability) })),
    refusal: z.null(),
  })
  .nullable()

/** Answer of `POST /v1/chat/completions`. */
export const chatCompletionAnswer = z.object({
  id: z.string(),
  object: z.literal('chat.completion'),
  created: amount,
  model: z.string(),
  choices: z.array(
    z.object({
      index: amount,
      message: z.object({
        role: z.literal('assistant'),
        content: z.string().nullable(),
        refusal: z.null(),
        tool_calls: z
          .array(
            z.object({
              id: z.string(),
              type: z.literal('function'),
              function: z.object({ name: z.string(), arguments: z.string() }),
            }),
          )
          .exactOptional(),
        reasoning_content: z.string().exactOptional(),
      }),
      logprobs,
      finish_reason: finishReason,
    }),
  ),
  usage: completionUsage,
}) satisfies z.ZodType<ChatCompletion>

/** One event of a streamed answer. */
export const chatChunkAnswer = z.object({
  id: z.string(),
  object: z.literal('chat.completion.chunk'),
  created: amount,
  model: z.string(),
  choices: z.array(
    z.object({
      index: amount,
      delta: z.object({
        role: z.literal('assistant').exactOptional(),
        content: z.string().exactOptional(),
        reasoning_content: z.string().exactOptional(),
        tool_calls: z
          .array(
            z.object({
              index: amount,
              id: z.string().exactOptional(),
              type: z.literal('function').exactOptional(),
              function: z
                .object({ name: z.string().exactOptional(), arguments: z.string().exactOptional() })
                .exactOptional(),
            }),
          )
          .exactOptional(),
      }),
      logprobs,
      finish_reason: finishReason.nullable(),
    }),
  ),
  usage: completionUsage.nullable().exactOptional(),
}) satisfies z.ZodType<ChatCompletionChunk>

/** Answer of `POST /v1/completions`, and one event of a streamed one. */
export const completionAnswer = z.object({
  id: z.string(),
  object: z.literal('text_completion'),
  created: amount,
  model: z.string(),
  choices: z.array(
    z.object({
      index: amount,
      text: z.string(),
      logprobs: z
        .object({
          tokens: z.array(z.string()),
          text_offset: z.array(amount),
          token_logprobs: z.array(z.number()),
          top_logprobs: z.array(z.record(z.string(), z.number())),
        })
        .nullable(),
      finish_reason: z.enum(['stop', 'length']).nullable(),
    }),
  ),
  usage: completionUsage.exactOptional(),
}) satisfies z.ZodType<Completion>
