import { afterEach, expect, test } from 'vitest'
import { checkLedger } from '../support/ledger-property.ts'
import { VARIANTS } from './variants.ts'

declare global {
  // oxlint-disable-next-line no-var -- the only way to declare a global variable
  var brokenVariant: number | undefined
}

/** Enough for every variant to be found, with some to spare. No smaller failure is looked for: nobody would read it. */
const PARAMETERS = { seed: 20_260_101, numRuns: 30, endOnFailure: true }

// What a variant left behind must not be what the next one is found by.
afterEach(async () => {
  globalThis.brokenVariant = undefined
  await checkLedger({ ...PARAMETERS, numRuns: 3 })
})

test('the property holds for the source as it is', () => checkLedger(PARAMETERS))

test.for(VARIANTS.map((variant, number) => ({ ...variant, number })))(
  'the property fails if $name',
  async ({ number }) => {
    globalThis.brokenVariant = number
    const failure: unknown = await checkLedger(PARAMETERS).catch((error: unknown) => error)
    const told = failure instanceof Error ? `${failure.message}\n${String(failure.cause)}` : 'it holds'
    expect(told).toContain('Property failed after')
    // A line that does not run proves nothing.
    expect(told).not.toMatch(/TypeError|ReferenceError|SyntaxError/)
  },
)
