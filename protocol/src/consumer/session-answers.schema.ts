import * as z from 'zod'
import type { AccountBalance } from './balance.ts'
import type { Balance, DirectGrant, Session, Usage, UsageTotals } from './sessions.ts'
import type { BrowserToken } from './tokens.ts'

const amount = z.int().nonnegative()

const totals = z.object({
  jobs: amount,
  prompt_tokens: amount,
  cached_tokens: amount,
  generated_tokens: amount,
  credits: amount,
}) satisfies z.ZodType<UsageTotals>

const balance = z.object({
  available: z.int(),
  held: amount,
  frozen: amount,
  earned: amount,
  spent: amount,
}) satisfies z.ZodType<Balance>

/** Answer of `POST /v1/sessions/{id}/direct`. */
export const directGrantAnswer = z.object({
  object: z.literal('direct_grant'),
  host_alias: z.string(),
  host_id: z.string(),
  endpoint: z.string(),
  certificate_sha256: z.string().nullable(),
  token: z.string(),
  session_id: z.string(),
  model: z.string(),
  budget: amount,
  expires_at: amount,
}) satisfies z.ZodType<DirectGrant>

/** Answer of the routes of Sessions. */
export const sessionAnswer = z.object({
  id: z.string(),
  object: z.literal('session'),
  network: z.string().nullable(),
  mode: z.enum(['orchestrated', 'direct']),
  status: z.enum(['open', 'closed']),
  budget: amount.nullable(),
  expires_at: amount.nullable(),
  usage: totals,
  direct: directGrantAnswer.optional(),
}) satisfies z.ZodType<Session>

/** Answer of `GET /v1/usage`. */
export const usageAnswer = z.object({
  object: z.literal('usage'),
  network: z.string().nullable(),
  totals,
  balance,
}) satisfies z.ZodType<Usage>

/** Answer of `GET /v1/balance`. */
export const balanceAnswer = z.object({
  object: z.literal('balance'),
  ...balance.shape,
}) satisfies z.ZodType<AccountBalance>

/** Answer of `POST /v1/tokens`. */
export const browserTokenAnswer = z.object({
  object: z.literal('browser_token'),
  token: z.string(),
  expires_at: amount,
  origins: z.array(z.string()).nullable(),
  scopes: z.array(z.enum(['inference', 'usage'])),
  networks: z.array(z.string()),
  models: z.array(z.string()).nullable(),
  budget: amount.nullable(),
}) satisfies z.ZodType<BrowserToken>
