import * as z from 'zod'
import { memberRole } from './accounts.ts'
import { emailAddress } from './email-address.ts'

/** Body of `POST /api/login/email`. */
export const emailLoginRequest = z.object({ email: emailAddress })
/** Answer, the same whether or not anything was sent. `flow` belongs to this browser alone. */
export const emailLoginBegun = z.object({ flow: z.string(), expires_in: z.int() })
export type EmailLoginBegun = z.infer<typeof emailLoginBegun>

/** Body of `POST /api/login/email/verify`: the code that was sent, and the flow it was sent for. */
export const emailLoginAnswer = z.object({ flow: z.string().max(200), code: z.string().trim().max(64) })

/** A person, as they see themselves. */
export const personView = z.object({
  id: z.string(),
  name: z.string(),
  /** Null for a person known to GitHub only. */
  email: z.string().nullable(),
})
export type PersonView = z.infer<typeof personView>

/** Answer of `GET /api/me`. */
export const meView = personView.extend({
  /** True for an operator of the platform. */
  operator: z.boolean(),
  accounts: z.array(z.object({ id: z.string(), name: z.string(), role: memberRole })),
})
export type MeView = z.infer<typeof meView>

/** One browser in which a person is logged in. Times in seconds since the epoch. */
export const loginSessionView = z.object({
  id: z.string(),
  /** Browser and system, for instance "Firefox on Linux". */
  label: z.string(),
  created_at: z.int(),
  /** To within five minutes. */
  last_seen_at: z.int(),
  /** True for the one that asks. */
  current: z.boolean(),
})
/** Answer of `GET /api/me/sessions`, the latest first. */
export const loginSessionList = z.object({ sessions: z.array(loginSessionView) })
export type LoginSessionList = z.infer<typeof loginSessionList>
