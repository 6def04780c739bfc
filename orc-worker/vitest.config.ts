import path from 'node:path'
import { cloudflareTest, readD1Migrations } from '@cloudflare/vitest-plugin'
import { defineConfig } from 'vitest/config'
import { GITHUB } from './test/support/github-stub.ts'
import { outside } from './test/support/outside.ts'
import { testSecrets } from './test/support/secrets.ts'
import { RULES_IN_WORKERD } from './vitest.pure.config.ts'

/** Every test calls from one unknown address. The tests of these limits state their own. */
const generous = { perMinute: 1_000_000, burst: 1_000_000 }
const RATE_LIMITS = JSON.stringify({
  login: generous,
  device_authorization: generous,
  device_token: generous,
  host_wire: generous,
  failed_credential: generous,
  anonymous_read: generous,
  management: generous,
  // Slow to come back, so that the tests of them do not depend on how fast this machine is.
  key: { perMinute: 60, burst: 2_000 },
  account: { perMinute: 60, burst: 10_000 },
  host_frames: { perMinute: 6_000, burst: 5_000 },
})

/** Tests that use limits up. What an isolate remembers of them outlives what is stored, so each of these files has one of its own. */
export const USES_LIMITS_UP = [
  'test/device-grant-bounds.test.ts',
  'test/email-login-limits.test.ts',
  'test/login-admission.test.ts',
  'test/rate-limits.test.ts',
  'test/user-code-limits.test.ts',
]

const root = path.join(import.meta.dirname, '..')

// Everything but pure rules runs in workerd, with real D1 and Durable Objects.
export default defineConfig(async () => ({
  plugins: [
    cloudflareTest({
      wrangler: { configPath: path.join(root, 'wrangler.toml') },
      miniflare: {
        outboundService: outside,
        bindings: {
          ...(await testSecrets()),
          RATE_LIMITS,
          GITHUB_CLIENT_ID: GITHUB.clientId,
          GITHUB_CLIENT_SECRET: GITHUB.clientSecret,
          GITHUB_URL: GITHUB.url,
          GITHUB_API_URL: GITHUB.apiUrl,
          TEST_MIGRATIONS: await readD1Migrations(path.join(root, 'migrations')),
        },
      },
    }),
  ],
  test: {
    name: 'orc-worker',
    root: import.meta.dirname,
    include: ['src/!(domain|openapi)/**/*.test.ts', ...RULES_IN_WORKERD, 'test/**/*.test.ts'],
    exclude: USES_LIMITS_UP,
    setupFiles: [path.join(import.meta.dirname, 'test/support/setup.ts')],
    // The files share a runtime, and begin with nothing stored: to start one for each takes longer than its tests.
    isolate: false,
    testTimeout: 20_000,
  },
}))
