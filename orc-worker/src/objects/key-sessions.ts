import { inTurns } from './in-turns.ts'
import type { ConsumerSession } from './session/object.ts'
import { plainSessionNames, sessionStub } from './stubs.ts'

/**
 * Ends every Session of the keys with these hashes, opened ones and browser tokens among them. Rejects if one could not be told: tell
 * them again.
 */
export function revokeKeySessions(env: Env, keyHashes: readonly string[]): Promise<void> {
  return tell(env, keyHashes, (session) => session.revoke())
}

/**
 * Has every Session of the keys with these hashes read anew what it may do, opened ones and browser tokens among them. Call it after
 * D1 was changed. Rejects if one could not be told: tell them again.
 */
export function refreshKeySessions(env: Env, keyHashes: readonly string[]): Promise<void> {
  return tell(env, keyHashes, (session) => session.refresh())
}

function tell(
  env: Env,
  keyHashes: readonly string[],
  work: (session: DurableObjectStub<ConsumerSession>) => Promise<void>,
): Promise<void> {
  const names = keyHashes.flatMap(plainSessionNames)
  return inTurns(names, (name) => work(sessionStub(env, name)))
}
