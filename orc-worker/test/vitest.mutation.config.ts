import { defineConfig } from 'vitest/config'

// Each mutant runs the tests of the money rules anew. They are pure functions: Node starts faster than workerd.
export default defineConfig({
  test: {
    name: 'money',
    environment: 'node',
    include: ['orc-worker/src/domain/money/*.test.ts'],
  },
})
