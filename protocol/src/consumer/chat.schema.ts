import * as z from 'zod'
import { MAX_MESSAGES, MAX_OUTPUT_TOKENS } from '../limits.ts'
import type { ChatRequest } from './chat.ts'

const textPart = z.looseObject({ type: z.literal('text'), text: z.string() })
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
  logit_bias: [],
  frequency_penalty: [0],
  presence_penalty: [0],
  modalities: ['text'],
  audio: [],
  prediction: [],
  web_search_options: [],
  reasoning_effort: [],
  verbosity: [],
}
