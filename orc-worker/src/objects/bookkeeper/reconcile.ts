import type { ReconciliationReport } from '@daisi/protocol'
import { recordSightings } from '../../db/anomalies.ts'
import type { Database } from '../../db/client.ts'
import { type OpenLease, idleLeases, leasesOf } from '../../db/ledger.ts'
import type { Sighting } from '../../domain/anomalies/sighting.ts'
import { logEvent } from '../../log.ts'
import { sessionStub } from '../stubs.ts'
import type { LeaseAnswer } from '../session/types.ts'

/** Leases asked about in one round, longest still first. What is left waits for the next. */
const MAX_LEASES = 1_000
/** Sessions asked at the same time. */
const ASKED_AT_ONCE = 20

const DAY_MS = 24 * 60 * 60 * 1000

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
  const leases = await idleLeases(db, before, MAX_LEASES)
  const report = { asked: leases.length, in_use: 0, returned: 0, drifted: 0, failed: 0 }
  const sightings: Sighting[] = []
  for (let start = 0; start < leases.length; start += ASKED_AT_ONCE) {
    const some = leases.slice(start, start + ASKED_AT_ONCE)
    const answers = await Promise.all(some.map(async (lease) => ({ lease, answer: await ask(env, lease) })))
    for (const { lease, answer } of answers) {
      report[answer.outcome]++
      if (answer.outcome === 'drifted') sightings.push(drift(lease, answer, now))
    }
  }
  await recordSightings(db, sightings)
  if (report.drifted + report.failed > 0) logEvent('leases_reconciled', report)
  return report
}

async function ask(env: Env, lease: OpenLease): Promise<LeaseAnswer> {
  const { leaseId, accountId, sessionName } = lease
  // Leases of the first version do not name their Session. Its next refill does.
  if (sessionName === null) return { outcome: 'failed' }
  try {
    return await sessionStub(env, sessionName).reconcile({ leaseId, accountId })
  } catch (error) {
    logEvent('reconciliation_failed', { leaseId, error })
    return { outcome: 'failed' }
  }
}

function drift({ leaseId }: OpenLease, answer: LeaseAnswer & { outcome: 'drifted' }, now: number): Sighting {
  const { session, book } = answer
  return {
    id: `lease_drift:${leaseId}:${now - (now % DAY_MS)}`,
    kind: 'lease_drift',
    subject: leaseId,
    seenAt: now,
    detail: { session, book },
  }
}

/** Asks the Sessions of an account to give back what they do not need at this moment. */
export async function recallLeases(env: Env, db: Database, accountId: string): Promise<void> {
  const leases = await leasesOf(db, accountId, MAX_LEASES)
  await Promise.all(
    leases.map(async ({ leaseId, sessionName }) => {
      if (sessionName === null) return
      await sessionStub(env, sessionName)
        .giveBack()
        .catch((error: unknown) => logEvent('recall_failed', { leaseId, error }))
    }),
  )
}
