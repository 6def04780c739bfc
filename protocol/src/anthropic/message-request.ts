import * as z from 'zod'
import { toolName } from '../host/chat-payload.ts'
import { MAX_MESSAGES, MAX_OUTPUT_TOKENS } from '../limits.ts'
import { onlyServed, unserved } from '../served-types.ts'

const MAX_TOOLS = 128
const MAX_BLOCKS = 4_096
const jsonObject = z.record(z.string(), z.unknown())
const callId = z.string().min(1).max(256)

const text = z.looseObject({ type: z.literal('text'), text: z.string() })

const image = z.looseObject({
  type: z.literal('image'),
  source: z.preprocess(
    onlyServed(['base64']),
    z.discriminatedUnion('type', [
      z.looseObject({
        type: z.literal('base64'),
        media_type: z.enum(['image/png', 'image/jpeg', 'image/webp', 'image/gif']),
        data: z.string().regex(/^[A-Za-z0-9+/]+=*$/, 'must be base64'),
      }),
      unserved,
    ]),
  ),
})
export type MessageImage = z.infer<typeof image>

const resultBlock = z.preprocess(
  onlyServed(['text', 'image']),
  z.discriminatedUnion('type', [text, image, unserved]),
)

const block = z.preprocess(
  onlyServed(['text', 'image', 'tool_use', 'tool_result', 'thinking']),
  z.discriminatedUnion('type', [
    text,
    image,
    z.looseObject({ type: z.literal('tool_use'), id: callId, name: toolName, input: jsonObject }),
    z.looseObject({
      type: z.literal('tool_result'),
      tool_use_id: callId,
      content: z.union([z.string(), z.array(resultBlock).max(MAX_BLOCKS)]).optional(),
      is_error: z.boolean().optional(),
    }),
    z.looseObject({ type: z.literal('thinking'), thinking: z.string() }),
    unserved,
  ]),
)
export type MessageBlock = z.infer<typeof block>

const tool = z.preprocess(
  onlyServed(['custom'], 'custom'),
  z.discriminatedUnion('type', [
    z.looseObject({
      type: z.literal('custom'),
      name: toolName,
      description: z
        .string()
        .max(16 * 1024)
        .optional(),
      input_schema: jsonObject,
      strict: z.boolean().nullish(),
    }),
    unserved,
  ]),
)

const jsonFormat = z.looseObject({ type: z.literal('json_schema'), schema: jsonObject })
const isSerial = z.boolean().optional()

const counted = {
  model: z.string().min(1).max(128),
  messages: z
    .array(
      z.looseObject({
        role: z.enum(['user', 'assistant', 'system']),
        content: z.union([z.string(), z.array(block).max(MAX_BLOCKS)]),
      }),
    )
    .min(1)
    .max(MAX_MESSAGES),
  system: z.union([z.string(), z.array(text).max(MAX_BLOCKS)]).optional(),
  tools: z.array(tool).max(MAX_TOOLS).optional(),
  tool_choice: z
    .discriminatedUnion('type', [
      z.looseObject({ type: z.literal('auto'), disable_parallel_tool_use: isSerial }),
      z.looseObject({ type: z.literal('any'), disable_parallel_tool_use: isSerial }),
      z.looseObject({ type: z.literal('tool'), name: toolName, disable_parallel_tool_use: isSerial }),
      z.looseObject({ type: z.literal('none') }),
    ])
    .optional(),
  thinking: z
    .preprocess(
      onlyServed(['enabled', 'disabled', 'adaptive']),
      z.discriminatedUnion('type', [
        z.looseObject({ type: z.literal('enabled'), budget_tokens: z.int().min(1) }),
        z.looseObject({ type: z.literal('disabled') }),
        z.looseObject({ type: z.literal('adaptive') }),
        unserved,
      ]),
    )
    .optional(),
  output_config: z
    .looseObject({ effort: z.string().max(32).nullish(), format: jsonFormat.nullish() })
    .optional(),
  /** An earlier name of `output_config.format`. */
  output_format: jsonFormat.nullish(),
}

/**
 * Body of `POST /v1/messages`. Loose, because real clients send more than they need; what would change the answer and is not served is
 * refused by name, see `messageFault`.
 */
export const messageRequest = z.looseObject({
  ...counted,
  max_tokens: z.int().min(1).max(MAX_OUTPUT_TOKENS),
  stop_sequences: z.array(z.string().min(1).max(256)).max(4).nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  top_k: z.int().min(0).max(1_000_000).nullish(),
  stream: z.boolean().nullish(),
})
export type MessageRequest = z.infer<typeof messageRequest>

/** Body of `POST /v1/messages/count_tokens`. */
export const countTokensRequest = z.looseObject(counted)
/** What both requests have: the prompt. */
export type MessagePrompt = z.infer<typeof countTokensRequest>

/** Anthropic's parameters that are not served, each with the values that ask for nothing and are therefore harmless. */
export const unservedMessageParameters: Readonly<Record<string, readonly unknown[]>> = {
  container: [],
  mcp_servers: [],
  speed: ['standard'],
  inference_geo: ['global'],
  service_tier: ['auto', 'standard_only'],
}
