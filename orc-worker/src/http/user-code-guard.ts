import type { LimitSubject } from '../domain/limit-place.ts'
import type { AppContext } from './context.ts'
import { returnPermit } from './permits.ts'
import { callerAddress, callerIdentity, spend } from './rate-limit.ts'

/**
 * Tries a user code. Wrong ones are counted by person and by address, and lock both for a while (RFC 8628 §5.1, rule Y7): a
 * permit is taken before the code is looked at, so that many tries at once count too, and given back unless the code is
 * wrong. `attempt` answers undefined for a code that nobody waits with.
 */
export async function guardUserCode<Found>(
  c: AppContext,
  attempt: () => Promise<Found | undefined>,
): Promise<Found | undefined> {
  const spent: LimitSubject[] = []
  let isWrong = false
  try {
    for (const subject of [callerIdentity(c), callerAddress(c)]) {
      await spend(c, 'wrong_user_code', subject)
      spent.push(subject)
    }
    const found = await attempt()
    isWrong = found === undefined
    return found
  } finally {
    if (!isWrong) await Promise.all(spent.map((subject) => returnPermit(c.env, 'wrong_user_code', subject)))
  }
}
