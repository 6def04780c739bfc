import { setTimeout as sleep } from 'node:timers/promises'
import type { ReconciliationReport } from '../../protocol/src/index.ts'
import type { ChaosRun } from './chaos-run.ts'
import { operatorApi, readBalances, untilAnswered } from './people.ts'

/** Holds of Jobs that nobody speaks for last 4 minutes, a lease at rest half a minute more; then there is some room. */
const SETTLE_TIMEOUT_MS = 7 * 60_000
const POLL_MS = 5_000

/** How the book came to rest. */
export interface Rest {
  readonly seconds: number
  /** Credits still held at the end, over all accounts. */
  readonly held: number
  /** Requests with a key whose fate stayed open. */
  readonly unresolved: number
  /** Leases about which Session and book disagreed, and Sessions that did not answer, in any round. */
  readonly drifted: number
  readonly failed: number
}

/** Waits until no account has anything held, asking the Orc to reconcile and sending open requests again meanwhile. */
export async function settleDown(run: ChaosRun, progress: (text: string) => void): Promise<Rest> {
  // Most open requests are answered now. That takes as long as they are many, and the time to come to rest begins after it.
  await run.load.resolve()
  const startedAt = performance.now()
  let drifted = 0
  let failed = 0
  for (;;) {
    await run.load.resolve()
    run.book.worked(await run.fleet.work())
    const report = await untilAnswered(
      () => operatorApi(run.orc.url, run.people).post<ReconciliationReport>('/api/reconciliation', {}),
      () => sleep(POLL_MS),
    )
    drifted += report.drifted
    failed += report.failed
    const balances = await untilAnswered(
      () => readBalances(run.orc.url, run.people),
      () => sleep(POLL_MS),
    )
    const held = balances.reduce((sum, balance) => sum + balance.held, 0)
    const { unresolved } = run.load
    const seconds = Math.round((performance.now() - startedAt) / 1000)
    progress(
      `settling ${seconds} s: held ${held}, open requests ${unresolved}, leases asked ${report.asked}: ` +
        `in use ${report.in_use}, returned ${report.returned}, drifted ${report.drifted}, failed ${report.failed}`,
    )
    const isAtRest = held === 0 && unresolved === 0
    if (isAtRest || seconds * 1000 > SETTLE_TIMEOUT_MS) return { seconds, held, unresolved, drifted, failed }
    await sleep(POLL_MS)
  }
}
