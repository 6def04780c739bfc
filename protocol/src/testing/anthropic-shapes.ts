import * as z from 'zod'

// What Anthropic's answers and events look like to the letter: a field too many is a mistake as much as one too few.

const count = z.int().nonnegative()
const stopReason = z.enum(['end_turn', 'max_tokens', 'tool_use'])

const textBlock = z.strictObject({ type: z.literal('text'), text: z.string(), citations: z.null() })
const thinkingBlock = z.strictObject({
  type: z.literal('thinking'),
  thinking: z.string(),
  signature: z.literal(''),
})
const toolUseBlock = z.strictObject({
  type: z.literal('tool_use'),
  id: z.string().regex(/^toolu_[A-Za-z0-9_-]+$/),
  name: z.string().min(1),
  input: z.record(z.string(), z.unknown()),
  caller: z.strictObject({ type: z.literal('direct') }),
})
const block = z.discriminatedUnion('type', [textBlock, thinkingBlock, toolUseBlock])

const counts = {
  input_tokens: count,
  cache_read_input_tokens: count,
  cache_creation_input_tokens: z.literal(0),
  output_tokens: count,
  output_tokens_details: z.null(),
  server_tool_use: z.null(),
}

/** A whole answer of `POST /v1/messages`. */
export const messageShape = z.strictObject({
  id: z.string().regex(/^msg_/),
  type: z.literal('message'),
  role: z.literal('assistant'),
  model: z.string(),
  content: z.array(block),
  stop_reason: stopReason,
  stop_sequence: z.null(),
  stop_details: z.null(),
  container: z.null(),
  diagnostics: z.null(),
  usage: z.strictObject({
    ...counts,
    cache_creation: z.null(),
    service_tier: z.literal('standard'),
    inference_geo: z.null(),
    speed: z.null(),
  }),
})

/** The body of an error, and the data of the event that ends a stream which cannot go on. */
export const messageErrorShape = z.strictObject({
  type: z.literal('error'),
  error: z.strictObject({
    type: z.enum([
      'invalid_request_error',
      'authentication_error',
      'billing_error',
      'permission_error',
      'not_found_error',
      'conflict_error',
      'request_too_large',
      'rate_limit_error',
      'api_error',
      'overloaded_error',
      'timeout_error',
    ]),
    message: z.string().min(1),
    code: z.string().min(1),
    param: z.string().nullable(),
  }),
  request_id: z.string().regex(/^req_/),
})

/** The data of one event of a streamed answer. */
export const messageEventShape = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('message_start'),
    message: messageShape.extend({ content: z.tuple([]), stop_reason: z.null() }),
  }),
  z.strictObject({ type: z.literal('content_block_start'), index: count, content_block: block }),
  z.strictObject({
    type: z.literal('content_block_delta'),
    index: count,
    delta: z.discriminatedUnion('type', [
      z.strictObject({ type: z.literal('text_delta'), text: z.string() }),
      z.strictObject({ type: z.literal('thinking_delta'), thinking: z.string() }),
      z.strictObject({ type: z.literal('input_json_delta'), partial_json: z.string().min(1) }),
    ]),
  }),
  z.strictObject({ type: z.literal('content_block_stop'), index: count }),
  z.strictObject({
    type: z.literal('message_delta'),
    delta: z.strictObject({
      stop_reason: stopReason,
      stop_sequence: z.null(),
      stop_details: z.null(),
      container: z.null(),
    }),
    usage: z.strictObject(counts),
  }),
  z.strictObject({ type: z.literal('message_stop') }),
  messageErrorShape,
])

/** Answer of `POST /v1/messages/count_tokens`. */
export const tokensCountShape = z.strictObject({ input_tokens: count })
