import * as z from 'zod'

/** Name of a tool, as OpenAI allows it. */
export const toolName = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be a tool name')

/** A call that the model made. `arguments` is JSON text, as the model wrote it. */
export const toolCall = z.object({
  id: z.string().min(1).max(256),
  name: toolName,
  arguments: z.string().max(1024 * 1024),
})
export type ToolCall = z.infer<typeof toolCall>

/** Images of a turn, before its text: files in base64, as a `data:` URL (RFC 2397). */
const imageUrl = z.string().regex(/^data:image\/(?:png|jpeg|webp|gif);base64,[A-Za-z0-9+/]+=*$/)

/** One turn of a conversation, as the model's own template sees it. */
export const chatTurn = z.object({
  role: z.enum(['system', 'user', 'assistant', 'tool']),
  content: z.string(),
  /** Of `assistant`: what it called. */
  toolCalls: z.array(toolCall).min(1).max(128).optional(),
  /** Of `tool`: the call whose result it is. */
  toolCallId: z.string().min(1).max(256).optional(),
  /** Of `assistant`: what it thought before it answered. */
  reasoning: z.string().optional(),
  /** Of `user`. For Hosts with `vision`. */
  images: z.array(imageUrl).min(1).max(16).optional(),
})
export type ChatTurn = z.infer<typeof chatTurn>

/** Largest schema or grammar, in characters. */
const MAX_GRAMMAR_CHARACTERS = 64 * 1024

/** A JSON Schema (2020-12, the part that the Host's own documentation lists). */
const jsonSchema = z
  .record(z.string(), z.unknown())
  .refine((schema) => JSON.stringify(schema).length <= MAX_GRAMMAR_CHARACTERS, 'the schema is too large')

/** What the model may call. */
export const toolDefinition = z.object({
  name: toolName,
  description: z
    .string()
    .max(16 * 1024)
    .optional(),
  /** Schema of the arguments, an object. Absent: none are taken. */
  parameters: jsonSchema.optional(),
  /** True: arguments fit the schema, or the Host refuses the Job. Else they are JSON that fits as far as the Host can hold it to that. */
  strict: z.boolean().optional(),
})
export type ToolDefinition = z.infer<typeof toolDefinition>

/** Whether the model calls: as it likes (default), at least once, or exactly this one. */
export const toolChoice = z.union([z.enum(['auto', 'required']), z.object({ name: toolName })])
export type ToolChoice = z.infer<typeof toolChoice>

/** How much a model that can think shall think before it answers. */
export const reasoningEffort = z.enum(['none', 'minimal', 'low', 'medium', 'high'])
export type ReasoningEffort = z.infer<typeof reasoningEffort>

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
  /** JSON that fits a schema. */
  z.object({ type: z.literal('json-schema'), schema: jsonSchema }),
  /** Text that a grammar in llama.cpp's GBNF derives from `root`. */
  z.object({ type: z.literal('grammar'), gbnf: z.string().min(1).max(MAX_GRAMMAR_CHARACTERS) }),
])
export type OutputFormat = z.infer<typeof outputFormat>

/** Payload of a `run` of kind `chat`. */
export const chatPayload = z.object({
  messages: z.array(chatTurn).min(1),
  sampling,
  /** Holds the text of the answer to a form; calls of tools have their own. */
  output: outputFormat.optional(),
  /** Asks for the probability of each token, and of so many of the most likely ones beside it. */
  logprobs: z.int().min(0).max(20).optional(),
  /** For Hosts with `tools`, as the next two. */
  tools: z.array(toolDefinition).min(1).max(128).optional(),
  toolChoice: toolChoice.optional(),
  /** False: at most one call. Default true. */
  parallelToolCalls: z.boolean().optional(),
  /** For Hosts with `reasoning-effort`. */
  reasoningEffort: reasoningEffort.optional(),
  /** The prompt is counted and nothing is generated (J10). For Hosts with `count-only`. */
  countOnly: z.literal(true).optional(),
})
export type ChatPayload = z.infer<typeof chatPayload>

/** Text of a token, cut. */
const tokenText = z.string().max(256)

/** How likely a token was for the model itself, before anything in `sampling` changed it. Natural logarithm. */
export const tokenLogprob = z.object({
  /** The token's text; U+FFFD where its bytes are no whole characters. */
  token: tokenText,
  logprob: z.number(),
  /** The most likely tokens in its place, best first. */
  top: z.array(z.object({ token: tokenText, logprob: z.number() })).max(20),
})
export type TokenLogprob = z.infer<typeof tokenLogprob>
