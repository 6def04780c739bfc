import { join } from 'node:path'
import { defineProject } from 'vitest/config'

// Tests start the program from its sources, many times: Node keeps what it made of them, which halves the time of each start.
const NODE_COMPILE_CACHE = join(import.meta.dirname, '../node_modules/.cache/node-compile')

export default defineProject({
  test: {
    name: 'host',
    include: ['src/**/*.test.ts'],
    isolate: false,
    testTimeout: 60_000,
    env: { NODE_COMPILE_CACHE },
  },
})
