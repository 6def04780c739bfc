import * as z from 'zod'
import { count } from '../ids.ts'
import { modelState } from './model.ts'

/** Why a Host takes no work. */
export const idleReason = z.enum([
  'paused',
  'draining',
  'stopping',
  /** Outside the hours of its owner's schedule. */
  'schedule',
  /** Its owner is at the machine. */
  'in_use',
  'on_battery',
  'gpu_busy',
  /** The tokens for today are used up. */
  'daily_limit',
  /** It has no model to work with. */
  'no_model',
])
export type IdleReason = z.infer<typeof idleReason>

/** Host → Orc, whenever free slots, willingness or states of models change, coalesced to at most five a second (H4). */
export const status = z.object({
  type: z.literal('status'),
  freeSlots: count,
  /** False while the Host takes no new work. */
  accepting: z.boolean(),
  /** Why `accepting` is false. */
  reason: idleReason.optional(),
  /** Measured generation speed, tokens per second of one stream. Absent until measured. */
  tokensPerSecond: z.number().positive().optional(),
  /** Of those models that are not ready to work (H11). Absent: all are. */
  models: z.array(modelState).max(64).optional(),
})
export type Status = z.infer<typeof status>
