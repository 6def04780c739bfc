import { cloudflareTest } from '@cloudflare/vitest-plugin'
import { defineProject } from 'vitest/config'

// The same tests as in vitest.config.ts, in the runtime of the edge, but those of what is for Node alone.
export default defineProject({
  plugins: [
    cloudflareTest({ miniflare: { compatibilityDate: '2026-10-20', compatibilityFlags: ['nodejs_compat'] } }),
  ],
  test: { name: 'sdk-workerd', include: ['src/**/*.test.ts'], exclude: ['src/node/**'] },
})
