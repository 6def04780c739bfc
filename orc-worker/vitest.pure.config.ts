import { defineProject } from 'vitest/config'

/** Rules that need a function which only workerd has: comparing in constant time. */
export const RULES_IN_WORKERD = ['src/domain/credential.test.ts', 'src/domain/login-session.test.ts']

// What needs neither storage nor network: pure rules. Each file in workerd would cost seconds of start for milliseconds of test.
export default defineProject({
  test: {
    name: 'orc-worker-pure',
    root: import.meta.dirname,
    include: ['src/domain/**/*.test.ts', 'src/openapi/**/*.test.ts'],
    isolate: false,
    exclude: RULES_IN_WORKERD,
  },
})
