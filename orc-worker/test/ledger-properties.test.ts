import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Plan, planOf } from './support/ledger-commands.ts'
import { expectPaid, findings } from './support/ledger-expectation.ts'
import { LedgerWorld } from './support/ledger-world.ts'

declare global {
  interface ImportMeta {
    /** Variables of the environment whose name begins with VITE_: no others get into workerd. */
    readonly env: Readonly<Record<string, string | undefined>>
  }
}

// To look further, or to come back to what was found: a failure says its seed and path.
const SEED = Number(import.meta.env['VITE_FC_SEED'] || 20_260_101)
const PATH = import.meta.env['VITE_FC_PATH'] ?? ''
const RUNS = Number(import.meta.env['VITE_FC_RUNS'] || 70)
/** The smallest sequence that fails is worth a search, unless nobody will read it. */
const SHRINK = import.meta.env['VITE_FC_SHRINK'] !== 'no'
const MAX_COMMANDS = 60
/** For many more runs than the usual ones. */
const TIMEOUT_MS = 30 * 60 * 1000

let worlds = 0

/** Carries a plan out, and checks the book when everything came to rest. */
async function carryOut(scheduler: fc.Scheduler, plan: Plan): Promise<void> {
  // What another run of the property did to the book is no fault of this one.
  const before = await findings()
  const world = await LedgerWorld.create(`world-${++worlds}`, scheduler, plan)
  for (const { command, happenings } of plan.steps) {
    await world.start(command)
    world.check()
    for (let count = 0; count < happenings && (await world.happen()); count++);
  }
  await world.comeToRest()
  await expectPaid(world.accounts, plan.grants, world.sessions)
  expect(await findings()).toEqual(before)
}

test(
  'each Job is paid once and the book is whole, whatever fails, comes late or twice, and in whatever order',
  async () => {
    await fc.assert(fc.asyncProperty(fc.scheduler(), planOf(MAX_COMMANDS), carryOut), {
      seed: SEED,
      path: PATH,
      numRuns: RUNS,
      endOnFailure: !SHRINK,
    })
  },
  TIMEOUT_MS,
)
