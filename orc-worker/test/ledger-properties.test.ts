import { test } from 'vitest'
import { checkLedger } from './support/ledger-property.ts'

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
/** For many more runs than the usual ones. */
const TIMEOUT_MS = 30 * 60 * 1000

test(
  'each Job is paid once and the book is whole, whatever fails, comes late or twice, and in whatever order',
  () => checkLedger({ seed: SEED, path: PATH, numRuns: RUNS }),
  TIMEOUT_MS,
)
