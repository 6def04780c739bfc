import * as z from 'zod'
import { networkName } from '../ids.ts'
import type { BrowserTokenRequest } from './tokens.ts'

/** `http` is for development: on these names it does not leave the machine. */
const ORIGIN =
  /^(?:https:\/\/(?:[a-z0-9._-]+|\[[0-9a-f:]+\])|http:\/\/(?:localhost|127\.0\.0\.1|\[::1\]))(?::\d{1,5})?$/

/** An origin as browsers serialise it (RFC 6454 §6.2). */
const origin = z
  .string()
  .max(300)
  .refine(
    isOrigin,
    'must be an origin as browsers write it, like https://example.com, or with http://localhost:3000',
  )

/** Body of `POST /v1/tokens`. */
export const browserTokenRequest = z.looseObject({
  origins: z.array(origin).min(1).max(20).nullable(),
  ttl_seconds: z.int().min(60).max(3_600).optional(),
  budget: z.int().positive().optional(),
  scopes: z
    .array(z.enum(['inference', 'usage']))
    .min(1)
    .max(2)
    .optional(),
  networks: z.array(networkName).min(1).max(32).optional(),
  models: z.array(z.string().min(1).max(128)).min(1).max(100).optional(),
}) satisfies z.ZodType<BrowserTokenRequest>

function isOrigin(text: string): boolean {
  return ORIGIN.test(text) && URL.canParse(text) && new URL(text).origin === text
}
