import * as z from 'zod'
import { reasoningEffort, toolName } from '../host/chat-payload.ts'
import { MAX_MESSAGES, MAX_OUTPUT_TOKENS } from '../limits.ts'
import type { ChatRequest } from './chat.ts'
import { streaming, tokenSampling } from './sampling.schema.ts'

const MAX_TOOLS = 128
const jsonObject = z.record(z.string(), z.unknown())

const textPart = z.looseObject({ type: z.literal('text'), text: z.string() })
const imagePart = z.looseObject({
  type: z.literal('image_url'),
  image_url: z.looseObject({ url: z.string(), detail: z.string().nullish() }),
})
const text = z.union([z.string(), z.array(textPart)])

const toolCall = z.looseObject({
  id: z.string().min(1).max(256),
  type: z.literal('function'),
  function: z.looseObject({ name: toolName, arguments: z.string().max(1024 * 1024) }),
})

const message = z.discriminatedUnion('role', [
  z.looseObject({ role: z.enum(['system', 'developer']), content: text }),
  z.looseObject({
    role: z.literal('user'),
    content: z.union([z.string(), z.array(z.discriminatedUnion('type', [textPart, imagePart]))]),
  }),
  z.looseObject({
    role: z.literal('assistant'),
    content: text.nullish(),
    tool_calls: z.array(toolCall).max(MAX_TOOLS).nullish(),
    reasoning_content: z.string().nullish(),
    refusal: z.string().nullish(),
  }),
  z.looseObject({ role: z.literal('tool'), tool_call_id: z.string().min(1).max(256), content: text }),
])

const tool = z.looseObject({
  type: z.literal('function'),
  function: z.looseObject({
    name: toolName,
    description: z
      .string()
      .max(16 * 1024)
      .optional(),
    parameters: jsonObject.optional(),
    strict: z.boolean().nullish(),
  }),
})

const responseFormat = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('text') }),
  z.looseObject({ type: z.literal('json_object') }),
  z.looseObject({
    type: z.literal('json_schema'),
    json_schema: z.looseObject({
      name: z.string().max(64),
      description: z.string().optional(),
      schema: jsonObject.optional(),
      strict: z.boolean().nullish(),
    }),
  }),
])

/** Answers to one request at most. */
export const MAX_CHOICES = 8
const maxTokens = z.int().min(1).max(MAX_OUTPUT_TOKENS).nullish()

/**
 * Body of `POST /v1/chat/completions`. Loose, because real clients send more than they need; fields that would change
 * the answer and are not served are refused by name, see `unservedChatParameters`.
 */
export const chatRequest = z.looseObject({
  model: z.string().min(1).max(128),
  messages: z.array(message).min(1).max(MAX_MESSAGES),
  max_tokens: maxTokens,
  max_completion_tokens: maxTokens,
  n: z.int().min(1).max(MAX_CHOICES).nullish(),
  tools: z.array(tool).max(MAX_TOOLS).optional(),
  tool_choice: z
    .union([
      z.enum(['none', 'auto', 'required']),
      z.looseObject({ type: z.literal('function'), function: z.looseObject({ name: toolName }) }),
    ])
    .optional(),
  parallel_tool_calls: z.boolean().nullish(),
  response_format: responseFormat.optional(),
  logprobs: z.boolean().nullish(),
  top_logprobs: z.int().min(0).max(20).nullish(),
  reasoning_effort: reasoningEffort.nullish(),
  user: z.string().nullish(),
  metadata: z
    .record(z.string().max(64), z.string().max(512))
    .refine((pairs) => Object.keys(pairs).length <= 16, 'has at most 16 pairs')
    .nullish(),
  safety_identifier: z.string().nullish(),
  prompt_cache_key: z.string().nullish(),
  store: z.boolean().nullish(),
  ...tokenSampling,
  ...streaming,
}) satisfies z.ZodType<ChatRequest>

/** OpenAI's parameters that are not served, each with the values that ask for nothing and are therefore harmless. */
export const unservedChatParameters: Readonly<Record<string, readonly unknown[]>> = {
  functions: [],
  function_call: ['none', 'auto'],
  modalities: ['text'],
  audio: [],
  prediction: [],
  web_search_options: [],
  verbosity: ['medium'],
  service_tier: ['auto', 'default'],
  store: [false],
}
