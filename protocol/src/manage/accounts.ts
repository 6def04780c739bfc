import * as z from 'zod'
import { balanceView } from './credits.ts'
import { emailAddress } from './email-address.ts'

const name = z.string().min(1).max(64)

/** What a person may do for an account, from most to least. */
export const memberRole = z.enum(['owner', 'admin', 'member', 'viewer'])
export type MemberRole = z.infer<typeof memberRole>

/** Body of `POST /api/setup`, which works once: it creates the operator account. */
export const setupRequest = z.object({ name })
/** Body of `POST /api/accounts` (operators only). The sign-up grant is paid at once; who proves `owner_email` may join as owner. */
export const accountRequest = z.object({ name, owner_email: emailAddress.optional() })

/** Answer of both, and of `POST /api/account/token`, after which the one before is dead. The token manages the account and is shown once. */
export const accountCreated = z.object({ id: z.string(), name: z.string(), token: z.string() })
export type AccountCreated = z.infer<typeof accountCreated>

/** Answer of `GET /api/account`. */
export const accountView = z.object({
  id: z.string(),
  name: z.string(),
  operator: z.boolean(),
  balance: balanceView,
})
export type AccountView = z.infer<typeof accountView>
