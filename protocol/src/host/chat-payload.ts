import * as z from 'zod'

/** One turn of a conversation, as the model's own template sees it. */
export const chatTurn = z.object({ role: z.enum(['system', 'user', 'assistant']), content: z.string() })
export type ChatTurn = z.infer<typeof chatTurn>

/** How tokens are chosen. */
export const sampling = z.object({
  /** 0 takes the most likely token; 2 is the most random. */
  temperature: z.number().min(0).max(2),
  /** Nucleus sampling: only the most likely tokens whose probabilities add up to this are considered. */
  topP: z.number().gt(0).max(1),
  /** Same seed, same model file, same machine: same answer. Absent: chosen at random. */
  seed: z.int().optional(),
  /** Tokens to generate at most. The Host lowers it to what the context still holds. */
  maxTokens: z.int().positive(),
  /** The answer ends before the first of these strings. */
  stop: z.array(z.string().min(1)).max(4),
})
export type Sampling = z.infer<typeof sampling>

/** Payload of a `run` of kind `chat`. */
export const chatPayload = z.object({ messages: z.array(chatTurn).min(1), sampling })
export type ChatPayload = z.infer<typeof chatPayload>
