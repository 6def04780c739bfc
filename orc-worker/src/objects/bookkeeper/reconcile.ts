import type { ReconciliationReport } from '@daisi/protocol'
import type { Database } from '../../db/client.ts'
import { type OpenLease, idleLeases, leasesOf } from '../../db/ledger.ts'
import { logEvent } from '../../log.ts'
import { inTurns } from '../in-turns.ts'
import type { LeaseAnswer } from '../session/types.ts'
import { sessionStub } from '../stubs.ts'

/** Leases read from the book at a time. */
const PAGE = 200
/** A round ends after this long; those that lay still longest were asked first. */
const ROUND_LIMIT_MS = 5 * 60 * 1000

/**
 * Asks the Session of every lease that holds credits and that nothing moved since `before` what it still needs them for.
 * Nothing is guessed: only the Session settles or releases, and one that lost its memory says so.
 */
export async function reconcileLeases(
  env: Env,
  db: Database,
  before: number,
  now: number,
): Promise<ReconciliationReport> {
  const report = { asked: 0, in_use: 0, returned: 0, drifted: 0, failed: 0 }
  let last: OpenLease | undefined
  do {
    const leases = await idleLeases(db, before, last, PAGE, now)
    await inTurns(leases, async (lease) => {
      const answer = await ask(env, lease)
      report.asked++
      report[answer.outcome]++
    })
    last = leases.at(-1)
  } while (last !== undefined && Date.now() - now < ROUND_LIMIT_MS)
  if (report.drifted + report.failed > 0) logEvent('leases_reconciled', report)
  return report
}

/** Has the Sessions of an account return what they do not need, now and as their Jobs end. Answers how many did not answer. */
export async function recallLeases(env: Env, db: Database, accountId: string): Promise<number> {
  return recallAll(env, await leasesOf(db, { accountId }))
}

/** The same for the Sessions of one key. */
export async function recallKeyLeases(env: Env, db: Database, keyId: string): Promise<number> {
  return recallAll(env, await leasesOf(db, { keyId }))
}

async function recallAll(env: Env, leases: readonly OpenLease[]): Promise<number> {
  let failed = 0
  await inTurns(leases, async ({ leaseId, sessionName }) => {
    const recalled = await sessionStub(env, sessionName)
      .recall()
      .catch((error: unknown) => {
        logEvent('recall_failed', { leaseId, error })
        return false
      })
    if (!recalled) failed++
  })
  return failed
}

async function ask(env: Env, { leaseId, accountId, sessionName }: OpenLease): Promise<LeaseAnswer> {
  try {
    return await sessionStub(env, sessionName).reconcile({ leaseId, accountId })
  } catch (error) {
    logEvent('reconciliation_failed', { leaseId, error })
    return { outcome: 'failed' }
  }
}
