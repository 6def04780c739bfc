import * as z from 'zod'
import { sampling } from '../host/chat-payload.ts'
import { MAX_MESSAGES, MAX_OUTPUT_TOKENS } from '../limits.ts'
import type { ChatRequest } from './chat.ts'

const textPart = z.looseObject({ type: z.literal('text'), text: z.string() })
const repeatPenalty = z.number().gt(0).max(10).nullish()
const maxTokens = z.int().min(1).max(MAX_OUTPUT_TOKENS).nullish()

const message = z.looseObject({
  role: z.enum(['system', 'developer', 'user', 'assistant']),
  content: z.union([z.string(), z.array(textPart)]),
})

/**
 * Body of `POST /v1/chat/completions`. Loose, because real clients send more than they need; fields that would change
 * the answer and are not served are refused by name, see `unsupportedChatParameters`.
 */
export const chatRequest = z.looseObject({
  model: z.string().min(1).max(128),
  messages: z.array(message).min(1).max(MAX_MESSAGES),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  max_tokens: maxTokens,
  max_completion_tokens: maxTokens,
  stop: z.union([z.string().min(1).max(256), z.array(z.string().min(1).max(256)).max(4)]).nullish(),
  seed: z.int().nullish(),
  frequency_penalty: z.number().min(-2).max(2).nullish(),
  presence_penalty: z.number().min(-2).max(2).nullish(),
  logit_bias: sampling.shape.logitBias.nullable(),
  // Not OpenAI's: as llama.cpp and vLLM name them.
  top_k: z.int().min(-1).max(1_000_000).nullish(),
  min_p: z.number().min(0).max(1).nullish(),
  repeat_penalty: repeatPenalty,
  repetition_penalty: repeatPenalty,
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().optional() }).nullish(),
}) satisfies z.ZodType<ChatRequest>

/** OpenAI's parameters that are not served, each with the values that ask for nothing and are therefore harmless. */
export const unsupportedChatParameters: Readonly<Record<string, readonly unknown[]>> = {
  n: [1],
  tools: [],
  tool_choice: ['none', 'auto'],
  functions: [],
  function_call: ['none', 'auto'],
  response_format: ['text'],
  logprobs: [false],
  top_logprobs: [0],
  modalities: ['text'],
  audio: [],
  prediction: [],
  web_search_options: [],
  reasoning_effort: [],
  verbosity: [],
}
