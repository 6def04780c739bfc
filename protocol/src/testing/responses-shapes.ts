import * as z from 'zod'

// What the Responses API's answers and events look like to the letter: a field too many is a mistake as much as one too few.

const index = z.int().nonnegative()
const status = z.enum(['in_progress', 'completed', 'incomplete'])

const probability = z.strictObject({ token: z.string(), logprob: z.number(), bytes: z.array(z.int()) })
const logprob = probability.extend({ top_logprobs: z.array(probability) })

const outputText = z.strictObject({
  type: z.literal('output_text'),
  text: z.string(),
  annotations: z.tuple([]),
  logprobs: z.array(logprob),
})
const reasoningText = z.strictObject({ type: z.literal('reasoning_text'), text: z.string() })

const item = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('message'),
    id: z.string().regex(/^msg_/),
    role: z.literal('assistant'),
    status,
    content: z.array(outputText),
  }),
  z.strictObject({
    type: z.literal('reasoning'),
    id: z.string().regex(/^rs_/),
    summary: z.tuple([]),
    content: z.array(reasoningText),
    status,
  }),
  z.strictObject({
    type: z.literal('function_call'),
    id: z.string().regex(/^fc_/),
    call_id: z.string().regex(/^call_/),
    name: z.string().min(1),
    arguments: z.string(),
    status,
  }),
])

const usage = z.strictObject({
  input_tokens: index,
  input_tokens_details: z.strictObject({ cached_tokens: index, cache_write_tokens: z.literal(0) }),
  output_tokens: index,
  output_tokens_details: z.strictObject({ reasoning_tokens: z.literal(0) }),
  total_tokens: index,
})

/** A whole answer of `POST /v1/responses`, and the `response` of its events. */
export const responseShape = z.strictObject({
  id: z.string().regex(/^resp_/),
  object: z.literal('response'),
  created_at: index,
  completed_at: index.nullable(),
  status: z.enum(['in_progress', 'completed', 'incomplete', 'failed']),
  model: z.string(),
  output: z.array(item),
  usage: usage.nullable(),
  error: z
    .strictObject({ code: z.enum(['server_error', 'rate_limit_exceeded']), message: z.string() })
    .nullable(),
  incomplete_details: z.strictObject({ reason: z.literal('max_output_tokens') }).nullable(),
  instructions: z.string().nullable(),
  metadata: z.record(z.string(), z.string()),
  parallel_tool_calls: z.boolean(),
  temperature: z.number().nullable(),
  top_p: z.number().nullable(),
  top_logprobs: index,
  max_output_tokens: index.nullable(),
  tool_choice: z.union([
    z.enum(['none', 'auto', 'required']),
    z.strictObject({ type: z.literal('function'), name: z.string() }),
  ]),
  tools: z.array(
    z.strictObject({
      type: z.literal('function'),
      name: z.string(),
      description: z.string().nullable(),
      parameters: z.record(z.string(), z.unknown()).nullable(),
      strict: z.boolean().nullable(),
    }),
  ),
  text: z.strictObject({ format: z.looseObject({ type: z.enum(['text', 'json_object', 'json_schema']) }) }),
  reasoning: z.strictObject({ effort: z.string().nullable(), summary: z.null() }),
  user: z.string().nullable(),
  store: z.literal(false),
  background: z.literal(false),
  truncation: z.literal('disabled'),
  previous_response_id: z.null(),
  access_programs: z.null(),
})

const numbered = { sequence_number: index }
const ofItem = { ...numbered, output_index: index, item_id: z.string() }
const ofContent = { ...ofItem, content_index: z.literal(0) }
const part = z.discriminatedUnion('type', [outputText, reasoningText])

function event<Name extends string, Shape extends z.core.$ZodLooseShape>(
  type: Name,
  shape: Shape,
): z.ZodObject<{ type: z.ZodLiteral<Name> } & Shape, z.core.$strict> {
  return z.strictObject({ type: z.literal(type), ...shape })
}

/** The data of one event of a streamed answer. */
export const responseEventShape = z.discriminatedUnion('type', [
  event('response.created', { ...numbered, response: responseShape }),
  event('response.in_progress', { ...numbered, response: responseShape }),
  event('response.completed', { ...numbered, response: responseShape }),
  event('response.incomplete', { ...numbered, response: responseShape }),
  event('response.failed', { ...numbered, response: responseShape }),
  event('response.output_item.added', { ...numbered, output_index: index, item }),
  event('response.output_item.done', { ...numbered, output_index: index, item }),
  event('response.content_part.added', { ...ofContent, part }),
  event('response.content_part.done', { ...ofContent, part }),
  event('response.output_text.delta', {
    ...ofContent,
    delta: z.string(),
    logprobs: z.array(logprob),
  }),
  event('response.output_text.done', { ...ofContent, text: z.string(), logprobs: z.array(logprob) }),
  event('response.reasoning_text.delta', { ...ofContent, delta: z.string() }),
  event('response.reasoning_text.done', { ...ofContent, text: z.string() }),
  event('response.function_call_arguments.delta', { ...ofItem, delta: z.string().min(1) }),
  event('response.function_call_arguments.done', { ...ofItem, arguments: z.string() }),
  event('error', { ...numbered, code: z.string(), message: z.string(), param: z.null() }),
])
