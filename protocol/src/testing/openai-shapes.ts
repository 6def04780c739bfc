import * as z from 'zod'

// OpenAI's published shapes, field by field and nothing beside them, as answers are checked in tests. What DAISI adds is named.

const usage = z.strictObject({
  prompt_tokens: z.int(),
  completion_tokens: z.int(),
  total_tokens: z.int(),
  prompt_tokens_details: z.strictObject({ cached_tokens: z.int() }),
})

const likely = {
  token: z.string(),
  logprob: z.number().max(0),
  bytes: z.array(z.int().min(0).max(255)).nullable(),
}
const logprobs = z
  .strictObject({
    content: z.array(z.strictObject({ ...likely, top_logprobs: z.array(z.strictObject(likely)) })),
    refusal: z.null(),
  })
  .nullable()

const finish = z.enum(['stop', 'length', 'tool_calls'])
const head = { id: z.string().regex(/^chatcmpl-[0-9a-f]{32}$/), created: z.int(), model: z.string() }
const toolCallId = z.string().regex(/^call_[0-9a-f]{24}\d{4}$/)

/** `ChatCompletion`. `reasoning_content` is what servers of open models agree on. */
export const chatCompletionShape = z.strictObject({
  ...head,
  object: z.literal('chat.completion'),
  choices: z.array(
    z.strictObject({
      index: z.int(),
      message: z.strictObject({
        role: z.literal('assistant'),
        content: z.string().nullable(),
        refusal: z.null(),
        reasoning_content: z.string().min(1).optional(),
        tool_calls: z
          .array(
            z.strictObject({
              id: toolCallId,
              type: z.literal('function'),
              function: z.strictObject({ name: z.string(), arguments: z.string() }),
            }),
          )
          .min(1)
          .optional(),
      }),
      logprobs,
      finish_reason: finish,
    }),
  ),
  usage,
})

const callDelta = z.union([
  z.strictObject({
    index: z.int(),
    id: toolCallId,
    type: z.literal('function'),
    function: z.strictObject({ name: z.string(), arguments: z.string() }),
  }),
  z.strictObject({ index: z.int(), function: z.strictObject({ arguments: z.string() }) }),
])

/** `ChatCompletionChunk`. */
export const chatChunkShape = z.strictObject({
  ...head,
  object: z.literal('chat.completion.chunk'),
  choices: z.array(
    z.strictObject({
      index: z.int(),
      delta: z.strictObject({
        role: z.literal('assistant').optional(),
        content: z.string().optional(),
        reasoning_content: z.string().optional(),
        tool_calls: z.array(callDelta).min(1).optional(),
      }),
      logprobs,
      finish_reason: finish.nullable(),
    }),
  ),
  usage: usage.optional(),
})

/** `Completion`, whole or one event of a stream: there `finish_reason` is null until the end. */
export const completionShape = z.strictObject({
  id: z.string().regex(/^cmpl-[0-9a-f]{32}$/),
  object: z.literal('text_completion'),
  created: z.int(),
  model: z.string(),
  choices: z.array(
    z.strictObject({
      index: z.int(),
      text: z.string(),
      logprobs: z
        .strictObject({
          tokens: z.array(z.string()),
          text_offset: z.array(z.int()),
          token_logprobs: z.array(z.number()),
          top_logprobs: z.array(z.record(z.string(), z.number())),
        })
        .nullable(),
      finish_reason: z.enum(['stop', 'length']).nullable(),
    }),
  ),
  usage: usage.optional(),
})

/** `CreateEmbeddingResponse`; in base64 a vector is text, which its types leave out. */
export const embeddingListShape = z.strictObject({
  object: z.literal('list'),
  model: z.string(),
  data: z.array(
    z.strictObject({
      object: z.literal('embedding'),
      index: z.int(),
      embedding: z.union([z.array(z.number()).min(1), z.string().min(1)]),
    }),
  ),
  usage: z.strictObject({ prompt_tokens: z.int(), total_tokens: z.int() }),
})

/** `ImagesResponse`. */
export const imageListShape = z.strictObject({
  created: z.int(),
  output_format: z.enum(['png', 'jpeg', 'webp']),
  data: z.array(z.strictObject({ b64_json: z.string().min(1) })).min(1),
  usage: z.strictObject({
    input_tokens: z.int(),
    input_tokens_details: z.strictObject({ text_tokens: z.int(), image_tokens: z.int() }),
    output_tokens: z.int(),
    total_tokens: z.int(),
  }),
})
