import { defineConfig } from 'vitest/config'

// Vitest finds this file only by `--config vitest.workspace.ts`; the npm scripts pass it.
export default defineConfig({
  test: {
    projects: [
      './protocol/vitest.config.ts',
      './orc-worker/vitest.config.ts',
      './sdk/vitest.config.ts',
      './sdk/vitest.workerd.config.ts',
    ],
  },
})
