import { afterEach, expect, test } from 'vitest'
import { auditFaults } from '../chaos/support/audit-faults.ts'
import { ChaosRun } from '../chaos/support/chaos-run.ts'
import { readBalances } from '../chaos/support/people.ts'
import { sessionFaults } from '../chaos/support/verdict.ts'

// `npm run chaos:ledger` does the same for longer, and waits until every hold has come back.
const KILLS = 5
const SEED = 20_260_701

let run: ChaosRun | undefined

afterEach(() => run?.[Symbol.asyncDispose]())

test('[P4, K2] an Orc that is killed again and again under load: its book stays whole and nothing is paid twice', async () => {
  run = await ChaosRun.start({ seed: SEED, kills: KILLS, maxMs: 40_000, progress: () => undefined })
  await run.killAll()
  expect(run.kills).toBe(KILLS)
  await run.stopLoad()
  expect(run.book.bounds().completedJobs).toBeGreaterThan(0)
  expect(await sessionFaults(run, 'running')).toEqual([])
  expect(run.book.faults).toEqual([])
  // Settlements go on by themselves between the answers of two accounts.
  const { orc, people } = run
  await expect
    .poll(async () => {
      const balances = await readBalances(orc.url, people)
      return balances.reduce((sum, { spent, earned }) => sum + spent - earned, 0)
    })
    .toBe(0)
  expect(auditFaults(await run.audit())).toEqual([])
})
