import * as z from 'zod'
import { toolName } from './chat-payload.ts'

/**
 * A piece of an answer that is more than text, in the order in which the model wrote it. The Host reads the model's own syntax, since it
 * knows the template; nobody after it does.
 */
export const outputPart = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text'), text: z.string() }),
  /** What the model thinks before it answers. */
  z.object({ type: z.literal('reasoning'), text: z.string() }),
  /**
   * A piece of a call. Calls are numbered from 0; the first piece of each has its `name`, and the `arguments` of all its pieces, joined,
   * are the JSON text of its arguments.
   */
  z.object({
    type: z.literal('tool-call'),
    index: z.int().min(0).max(127),
    name: toolName.optional(),
    arguments: z.string(),
  }),
])
export type OutputPart = z.infer<typeof outputPart>
