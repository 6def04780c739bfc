import { type MemberRole, memberRole } from '@daisi/protocol'

/** A role may do all that those of a lower rank may. */
const RANK: Readonly<Record<MemberRole, number>> = { viewer: 0, member: 1, admin: 2, owner: 3 }

/** What it takes to give these out. Those of somebody whose role has become less end. */
export const ISSUER_ROLE = {
  accountToken: 'owner',
  hostTransfer: 'owner',
  networkInvitation: 'admin',
  enrolment: 'member',
  deviceApproval: 'member',
} as const satisfies Readonly<Record<string, MemberRole>>

/** True if `role` may do what `needed` may. */
export function isAtLeast(role: MemberRole, needed: MemberRole): boolean {
  return RANK[role] >= RANK[needed]
}

/** The roles that may do what `needed` may. */
export function rolesFrom(needed: MemberRole): MemberRole[] {
  return memberRole.options.filter((role) => isAtLeast(role, needed))
}

/** The roles that someone of this role may give, take and invite to: none above their own. */
export function rolesUpTo(role: MemberRole): MemberRole[] {
  return memberRole.options.filter((other) => isAtLeast(role, other))
}
