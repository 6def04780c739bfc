import * as z from 'zod'
import { memberRole } from './accounts.ts'
import { emailAddress } from './email-address.ts'

/** Somebody who may act for an account. Times in seconds since the epoch. */
export const memberView = z.object({
  user_id: z.string(),
  name: z.string(),
  email: z.string().nullable(),
  role: memberRole,
  created_at: z.int(),
})

/** An invitation that can still be accepted, as the account sees it. */
export const invitationView = z.object({
  id: z.string(),
  email: z.string(),
  role: memberRole,
  /** The person, or the account by its token. */
  invited_by: z.string(),
  expires_at: z.int(),
})
export type InvitationView = z.infer<typeof invitationView>

/** Answer of `GET /api/members`. Who may invite sees the invitations as well. */
export const memberList = z.object({
  members: z.array(memberView),
  invitations: z.array(invitationView).optional(),
})
export type MemberList = z.infer<typeof memberList>

/** Body of `POST /api/members`: whoever proves the address within seven days may join. */
export const memberRequest = z.object({ email: emailAddress, role: memberRole })

/** Body of `PATCH /api/members/:user`. */
export const memberChange = z.object({ role: memberRole })

/** Answer of `GET /api/me/invitations`: accounts that the person may join. */
export const ownInvitationList = z.object({
  invitations: z.array(
    z.object({
      id: z.string(),
      account: z.object({ id: z.string(), name: z.string() }),
      role: memberRole,
      expires_at: z.int(),
    }),
  ),
})
export type OwnInvitationList = z.infer<typeof ownInvitationList>

/** Answer of `POST /api/me/invitations/:id/accept`: what the person is in the account now. */
export const membershipView = z.object({ account_id: z.string(), role: memberRole })
export type MembershipView = z.infer<typeof membershipView>
