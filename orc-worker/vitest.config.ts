import path from 'node:path'
import { cloudflareTest, readD1Migrations } from '@cloudflare/vitest-plugin'
import { defineConfig } from 'vitest/config'
import { testSecrets } from './test/support/secrets.ts'

const root = path.join(import.meta.dirname, '..')

// Everything here runs in workerd, with real D1 and Durable Objects.
export default defineConfig(async () => ({
  plugins: [
    cloudflareTest({
      wrangler: { configPath: path.join(root, 'wrangler.toml') },
      miniflare: {
        bindings: {
          ...(await testSecrets()),
          TEST_MIGRATIONS: await readD1Migrations(path.join(root, 'migrations')),
        },
      },
    }),
  ],
  test: {
    name: 'orc-worker',
    root: import.meta.dirname,
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    setupFiles: [path.join(import.meta.dirname, 'test/support/setup.ts')],
    testTimeout: 20_000,
  },
}))
