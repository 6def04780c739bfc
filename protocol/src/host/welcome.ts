import * as z from 'zod'
import { hostId, jobId, networkName } from '../ids.ts'

/** Orc → Host, the answer to `hello` (H2). After it the Orc may send `run` and queued commands. */
export const welcome = z.object({
  type: z.literal('welcome'),
  protocol: z.object({ version: z.int().positive(), minimum: z.int().positive() }),
  hostId,
  alias: z.string(),
  /** `iss` of every Session token that this Orc signs. */
  issuer: z.string(),
  networks: z.array(networkName),
  /** Running jobs from `hello` that the Orc still wants. The Host cancels the others (H3). */
  resume: z.array(jobId),
  /** Versions of daisi-host (semver 2.0.0): the oldest that this Orc works with, and the newest that there is (H13). */
  agent: z.object({ minimum: z.string().max(64), latest: z.string().max(64) }).optional(),
})
export type Welcome = z.infer<typeof welcome>
