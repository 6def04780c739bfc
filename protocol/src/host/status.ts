import * as z from 'zod'
import { count } from '../ids.ts'

/** Host → Orc, whenever free slots or willingness change, coalesced to at most five a second (H4). */
export const status = z.object({
  type: z.literal('status'),
  freeSlots: count,
  /** False while paused or draining: the Host takes no new work. */
  accepting: z.boolean(),
  /** Measured generation speed, tokens per second of one stream. Absent until measured. */
  tokensPerSecond: z.number().positive().optional(),
})
export type Status = z.infer<typeof status>
