import type { KeyNames } from '../db/key-access.ts'
import type { ConsumerSession } from './session/object.ts'
import { plainSessionNames, sessionStub } from './stubs.ts'

/** Sessions told at the same time. */
const TOLD_AT_ONCE = 20

/** Ends every Session of these keys, opened ones and browser tokens among them. Rejects if one could not be told: tell them again. */
export function revokeKeySessions(env: Env, keys: readonly KeyNames[]): Promise<void> {
  return tell(env, keys, (session) => session.revoke())
}

/**
 * Has every Session of these keys read anew what it may do, opened ones and browser tokens among them. Call it after D1 was
 * changed. `networks` are those from before and after the change. Rejects if one could not be told: tell them again.
 */
export function refreshKeySessions(env: Env, keys: readonly KeyNames[]): Promise<void> {
  return tell(env, keys, (session) => session.refresh())
}

async function tell(
  env: Env,
  keys: readonly KeyNames[],
  work: (session: DurableObjectStub<ConsumerSession>) => Promise<void>,
): Promise<void> {
  const names = keys.flatMap(({ hash, networks }) => plainSessionNames(hash, networks))
  for (let start = 0; start < names.length; start += TOLD_AT_ONCE)
    await Promise.all(names.slice(start, start + TOLD_AT_ONCE).map((name) => work(sessionStub(env, name))))
}
