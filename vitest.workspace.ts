import { defineConfig } from 'vitest/config'
import { CountsReporter } from './scripts/counts-reporter.ts'

// Vitest finds this file only by `--config vitest.workspace.ts`; the npm scripts pass it.
export default defineConfig({
  test: {
    reporters: ['default', new CountsReporter()],
    projects: [
      './protocol/vitest.config.ts',
      './orc-worker/vitest.config.ts',
      './orc-worker/vitest.limits.config.ts',
      './orc-worker/vitest.pure.config.ts',
      './orc-worker/test/broken/vitest.config.ts',
      './sdk/vitest.config.ts',
      './sdk/vitest.workerd.config.ts',
      './host-agent/vitest.config.ts',
      './orc-local/vitest.config.ts',
      './scripts/vitest.config.ts',
      './e2e/vitest.config.ts',
    ],
  },
})
