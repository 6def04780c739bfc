import { defineProject } from 'vitest/config'

export default defineProject({
  test: {
    name: 'e2e',
    include: ['*.test.ts', 'clients/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Processes start and models load: seconds on a busy machine.
    expect: { poll: { timeout: 20_000, interval: 50 } },
  },
})
