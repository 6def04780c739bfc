import * as z from 'zod'
import { count, jobId, networkName } from '../ids.ts'
import { directOffer } from './direct.ts'
import { modelOffer, modelState } from './model.ts'

/** Host → Orc, first message on every connection (H1). */
export const hello = z.object({
  type: z.literal('hello'),
  protocol: z.object({ version: z.int().positive(), minimum: z.int().positive() }),
  agent: z.object({ name: z.string().max(64), version: z.string().max(64) }),
  models: z.array(modelOffer).max(64),
  /** Of those models that are not ready to work. */
  modelStates: z.array(modelState).max(64).optional(),
  /** The only Networks that its owner wants served, of those that it may serve. Absent: every one (H10). */
  networks: z.array(networkName).max(64).optional(),
  /** Jobs that may run at once, and jobs beyond them that the Host is willing to keep waiting. */
  slots: z.object({ total: z.int().positive(), free: count, queue: count }),
  /** False while paused or draining: the Host takes no new work. */
  accepting: z.boolean(),
  /** Present if Consumers may connect to this Host directly (D1). */
  direct: directOffer.optional(),
  /** Reserved for sealed requests: the Host's HPKE public key (RFC 9180), base64url. */
  sealingKey: z.string().max(256).optional(),
  /** Jobs that are still running here after a dropped connection, with the next frame's sequence number. */
  running: z.array(z.object({ jobId, nextSequence: count })).max(1024),
})
export type Hello = z.infer<typeof hello>
