import * as z from 'zod'

/** One turn of a conversation, as the model's own template sees it. */
export const chatTurn = z.object({ role: z.enum(['system', 'user', 'assistant']), content: z.string() })
export type ChatTurn = z.infer<typeof chatTurn>

/** Largest schema or grammar, in characters. */
const MAX_GRAMMAR_CHARACTERS = 64 * 1024

/** How tokens are chosen. What is absent is the model's own default, and without one what is named here. */
export const sampling = z.object({
  /** 0 takes the most likely token; 2 is the most random. Default 1. */
  temperature: z.number().min(0).max(2).optional(),
  /** Nucleus sampling: only the most likely tokens whose probabilities add up to this are considered. Default 1. */
  topP: z.number().gt(0).max(1).optional(),
  /** Only this many most likely tokens are considered. Default 0: all. */
  topK: z.int().min(0).max(1_000_000).optional(),
  /** Only tokens at least this times as likely as the most likely one are considered. Default 0. */
  minP: z.number().min(0).max(1).optional(),
  /** Divides the logits of tokens among the last 64. Default 1: off. */
  repeatPenalty: z.number().gt(0).max(10).optional(),
  /** Taken from a token's logit for each time that the answer has it. Default 0. */
  frequencyPenalty: z.number().min(-2).max(2).optional(),
  /** Taken from a token's logit if the answer has it. Default 0. */
  presencePenalty: z.number().min(-2).max(2).optional(),
  /** Added to the logits of tokens, by id. -100 forbids a token, 100 all others. */
  logitBias: z
    .record(z.string().regex(/^\d{1,9}$/), z.number().min(-100).max(100))
    .refine((bias) => Object.keys(bias).length <= 1_024, 'at most 1,024 tokens')
    .optional(),
  /** Same seed, same model file, same machine: same answer. Absent: chosen at random. */
  seed: z.int().optional(),
  /** Tokens to generate at most. The Host lowers it to what the context still holds. */
  maxTokens: z.int().positive(),
  /** The answer ends before the first of these strings. */
  stop: z.array(z.string().min(1)).max(4),
})
export type Sampling = z.infer<typeof sampling>

/** What form the answer must have. */
export const outputFormat = z.discriminatedUnion('type', [
  /** Any JSON object. */
  z.object({ type: z.literal('json') }),
  /** JSON that fits a schema (JSON Schema 2020-12, the part that the Host's own documentation lists). */
  z.object({
    type: z.literal('json-schema'),
    schema: z
      .record(z.string(), z.unknown())
      .refine((schema) => JSON.stringify(schema).length <= MAX_GRAMMAR_CHARACTERS, 'the schema is too large'),
  }),
  /** Text that a grammar in llama.cpp's GBNF derives from `root`. */
  z.object({ type: z.literal('grammar'), gbnf: z.string().min(1).max(MAX_GRAMMAR_CHARACTERS) }),
])
export type OutputFormat = z.infer<typeof outputFormat>

/** Payload of a `run` of kind `chat`. */
export const chatPayload = z.object({
  messages: z.array(chatTurn).min(1),
  sampling,
  output: outputFormat.optional(),
  /** Asks for the probability of each token, and of so many of the most likely ones beside it. */
  logprobs: z.int().min(0).max(20).optional(),
})
export type ChatPayload = z.infer<typeof chatPayload>

/** How likely a token was for the model itself, before anything in `sampling` changed it. Natural logarithm. */
export const tokenLogprob = z.object({
  /** The token's text; U+FFFD where its bytes are no whole characters. */
  token: z.string(),
  logprob: z.number(),
  /** The most likely tokens in its place, best first. */
  top: z.array(z.object({ token: z.string(), logprob: z.number() })),
})
export type TokenLogprob = z.infer<typeof tokenLogprob>
