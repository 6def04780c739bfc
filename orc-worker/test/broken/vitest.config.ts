import { defineConfig } from 'vitest/config'
import orcWorker from '../../vitest.config.ts'
import { breakableLines } from './breakable-lines.ts'
import { VARIANTS } from './variants.ts'

// The property of the ledger alone, over the source with one of its lines replaced.
export default defineConfig(async (environment) => {
  const { plugins, test } = await orcWorker(environment)
  return {
    plugins: [breakableLines(VARIANTS), ...(plugins ?? [])],
    test: {
      ...test,
      name: 'orc-worker-broken',
      include: ['test/broken/*.spec.ts'],
      testTimeout: 60_000,
    },
  }
})
