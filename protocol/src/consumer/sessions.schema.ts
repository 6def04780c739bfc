import * as z from 'zod'
import { networkName } from '../ids.ts'
import { hostPublicKey } from '../host/connect.ts'
import type { DirectRequest, SessionRequest } from './sessions.ts'

/** Body of `POST /v1/sessions/{id}/direct`. */
export const directRequest = z.looseObject({
  model: z.string().min(1).max(128),
  key: hostPublicKey,
  budget: z.int().min(1_000).max(1_000_000).optional(),
}) satisfies z.ZodType<DirectRequest>

/** Body of `POST /v1/sessions`. */
export const sessionRequest = z.looseObject({
  network: networkName.optional(),
  mode: z.enum(['orchestrated', 'direct']).optional(),
  budget: z.int().positive().optional(),
  ttl_seconds: z.int().min(60).max(86_400).optional(),
  direct: directRequest.optional(),
}) satisfies z.ZodType<SessionRequest>
