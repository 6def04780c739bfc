import * as z from 'zod'
import { reasoningEffort, toolName } from '../host/chat-payload.ts'
import { MAX_MESSAGES, MAX_OUTPUT_TOKENS } from '../limits.ts'
import { onlyServed, unserved } from '../served-types.ts'
import { tokenSampling } from './sampling.schema.ts'

const MAX_TOOLS = 128
const MAX_PARTS = 4_096
const jsonObject = z.record(z.string(), z.unknown())
const callId = z.string().min(1).max(256)

const inputText = z.looseObject({ type: z.literal('input_text'), text: z.string() })

const messagePart = z.preprocess(
  onlyServed(['input_text', 'output_text', 'refusal', 'input_image']),
  z.discriminatedUnion('type', [
    inputText,
    z.looseObject({ type: z.literal('output_text'), text: z.string() }),
    z.looseObject({ type: z.literal('refusal'), refusal: z.string() }),
    z.looseObject({
      type: z.literal('input_image'),
      image_url: z.string().nullish(),
      detail: z.string().nullish(),
    }),
    unserved,
  ]),
)

const resultPart = z.preprocess(
  onlyServed(['input_text']),
  z.discriminatedUnion('type', [inputText, unserved]),
)

const item = z.preprocess(
  onlyServed(['message', 'function_call', 'function_call_output', 'reasoning'], 'message'),
  z.discriminatedUnion('type', [
    z.looseObject({
      type: z.literal('message'),
      role: z.enum(['user', 'assistant', 'system', 'developer']),
      content: z.union([z.string(), z.array(messagePart).max(MAX_PARTS)]),
    }),
    z.looseObject({
      type: z.literal('function_call'),
      call_id: callId,
      name: toolName,
      arguments: z.string().max(1024 * 1024),
    }),
    z.looseObject({
      type: z.literal('function_call_output'),
      call_id: callId,
      output: z.union([z.string(), z.array(resultPart).max(MAX_PARTS)]),
    }),
    z.looseObject({
      type: z.literal('reasoning'),
      summary: z
        .array(z.looseObject({ text: z.string() }))
        .max(MAX_PARTS)
        .nullish(),
      content: z
        .array(z.looseObject({ text: z.string() }))
        .max(MAX_PARTS)
        .nullish(),
    }),
    unserved,
  ]),
)
export type ParsedResponseItem = z.infer<typeof item>

const tool = z.preprocess(
  onlyServed(['function']),
  z.discriminatedUnion('type', [
    z.looseObject({
      type: z.literal('function'),
      name: toolName,
      description: z
        .string()
        .max(16 * 1024)
        .nullish(),
      parameters: jsonObject.nullish(),
      strict: z.boolean().nullish(),
    }),
    unserved,
  ]),
)

const toolChoice = z.union([
  z.enum(['none', 'auto', 'required']),
  z.preprocess(
    onlyServed(['function']),
    z.discriminatedUnion('type', [z.looseObject({ type: z.literal('function'), name: toolName }), unserved]),
  ),
])

const format = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('text') }),
  z.looseObject({ type: z.literal('json_object') }),
  z.looseObject({
    type: z.literal('json_schema'),
    name: z.string().max(64),
    description: z.string().optional(),
    schema: jsonObject,
    strict: z.boolean().nullish(),
  }),
])

/**
 * Body of `POST /v1/responses`. Loose, because real clients send more than they need; what would change the answer and is not served
 * is refused by name, see `responseFault`.
 */
export const responsesRequest = z.looseObject({
  model: z.string().min(1).max(128),
  input: z.union([z.string(), z.array(item).min(1).max(MAX_MESSAGES)]),
  instructions: z.string().nullish(),
  tools: z.array(tool).max(MAX_TOOLS).nullish(),
  tool_choice: toolChoice.nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  text: z.looseObject({ format: format.nullish() }).nullish(),
  max_output_tokens: z.int().min(1).max(MAX_OUTPUT_TOKENS).nullish(),
  include: z.array(z.string().max(128)).max(16).nullish(),
  top_logprobs: z.int().min(0).max(20).nullish(),
  reasoning: z
    .looseObject({
      effort: reasoningEffort.nullish(),
      summary: z.enum(['auto', 'concise', 'detailed']).nullish(),
    })
    .nullish(),
  metadata: z
    .record(z.string().max(64), z.string().max(512))
    .refine((pairs) => Object.keys(pairs).length <= 16, 'has at most 16 pairs')
    .nullish(),
  user: z.string().max(512).nullish(),
  safety_identifier: z.string().nullish(),
  prompt_cache_key: z.string().nullish(),
  store: z.boolean().nullish(),
  stream: z.boolean().nullish(),
  ...tokenSampling,
})
export type ParsedResponsesRequest = z.infer<typeof responsesRequest>

/** OpenAI's parameters that are not served, each with the values that ask for nothing and are therefore harmless. */
export const unservedResponseParameters: Readonly<Record<string, readonly unknown[]>> = {
  previous_response_id: [],
  conversation: [],
  background: [false],
  prompt: [],
  store: [false],
  truncation: ['disabled'],
  service_tier: ['auto', 'default'],
  context_management: [],
  moderation: [],
  max_tool_calls: [],
  image: [],
  access_programs: [],
}
