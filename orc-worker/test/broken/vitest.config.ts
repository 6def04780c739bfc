import { defineProject } from 'vitest/config'

// Starts a Vitest of its own for each broken variant, two at a time: each has a workerd.
export default defineProject({
  test: {
    name: 'orc-worker-broken',
    root: import.meta.dirname,
    include: ['*.spec.ts'],
    testTimeout: 60_000,
    maxConcurrency: 2,
  },
})
