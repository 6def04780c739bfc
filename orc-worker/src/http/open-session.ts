import { earlier } from '../objects/session/record.ts'
import type { NewSession, SessionRecord } from '../objects/session/types.ts'
import { isPlainSession, plainSessionName, sessionStub } from '../objects/stubs.ts'
import { invalidCredential } from './bearer.ts'
import type { AppContext } from './context.ts'
import { ApiError } from './errors.ts'

/**
 * Opens a Session for the Secret Key of the request, on one Network or, without, on all that its key may use. `narrow` makes its record
 * of what the key may do here and now; it must not give more. Throws `ApiError` if the key may not open this one.
 */
export async function openSession(
  c: AppContext,
  session: NewSession,
  network: string | undefined,
  narrow: (allowed: SessionRecord) => SessionRecord,
): Promise<SessionRecord> {
  const { name, expiresAt } = session
  const { caller: from, sessionName } = c.var.consumer
  const caller = { ...from, network }
  // A browser token, or a Session that the request names, has its say first.
  if (!isPlainSession(sessionName)) {
    const authorized = await sessionStub(c.env, sessionName).authorize(caller, 'sessions')
    if (!authorized.ok) throw new ApiError(authorized)
  }
  // The key's own Session learns of the new one first: a change or revocation in between finds it.
  const key = sessionStub(c.env, plainSessionName(caller.keyHash))
  const allowed = await key.adopt(caller, session)
  if (!allowed.ok) throw new ApiError(allowed)
  const end = earlier(expiresAt, allowed.record.keyExpiresAt)
  const record = { ...narrow({ ...allowed.record, network: network ?? null }), expiresAt: end }
  if (!(await sessionStub(c.env, name).open(record))) throw invalidCredential()
  return record
}
