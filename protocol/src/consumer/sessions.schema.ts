import * as z from 'zod'
import { networkName } from '../ids.ts'
import type { SessionRequest } from './sessions.ts'

/** Body of `POST /v1/sessions`. */
export const sessionRequest = z.looseObject({
  network: networkName.optional(),
  mode: z.enum(['orchestrated', 'direct']).optional(),
  budget: z.int().positive().optional(),
  ttl_seconds: z.int().min(60).max(86_400).optional(),
}) satisfies z.ZodType<SessionRequest>
