import { defineConfig } from 'vitest/config'
import orcWorker, { USES_LIMITS_UP } from './vitest.config.ts'

// As the other tests in workerd, but each file by itself.
export default defineConfig(async (environment) => {
  const { plugins = [], test } = await orcWorker(environment)
  return {
    plugins,
    test: { ...test, name: 'orc-worker-limits', include: USES_LIMITS_UP, exclude: [], isolate: true },
  }
})
