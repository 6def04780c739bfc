import * as fc from 'fast-check'
import { expect } from 'vitest'
import { type Plan, planOf } from './ledger-commands.ts'
import { expectPaid, findings } from './ledger-expectation.ts'
import { LedgerWorld } from './ledger-world.ts'

const MAX_COMMANDS = 60

/** How far to look. */
type Search = Pick<fc.Parameters, 'seed' | 'path' | 'numRuns' | 'endOnFailure'>

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

/** Each Job is paid once and the book is whole, whatever fails, comes late or twice, and in whatever order. Throws if not. */
export async function checkLedger(parameters: Search): Promise<void> {
  await fc.assert(fc.asyncProperty(fc.scheduler(), planOf(MAX_COMMANDS), carryOut), parameters)
}
