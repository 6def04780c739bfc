import type { MemberAuthority } from '../db/member-authority.ts'
import type { AppContext } from './context.ts'
import { ApiError } from './errors.ts'

/** In whose name a request changes an account. Only behind an access that is a role. */
export function authorityOf(c: AppContext): MemberAuthority {
  const { actor } = c.var
  return actor.person === undefined
    ? { role: actor.role, tokenHash: actor.tokenHash }
    : { role: actor.role, userId: actor.person.userId }
}

/** The answer to who lost their role while they asked. */
export function notAllowedAnyMore(): ApiError {
  const message =
    'Your role in this account has changed, or its token was replaced. Ask an owner of the account.'
  return new ApiError({ code: 'forbidden', message })
}
