// `npm run check`: everything but the tests. Each step is a command that can also be run by hand.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')

const steps: readonly (readonly [string, string])[] = [
  ['format', 'oxfmt --check'],
  ['lint', 'oxlint --deny-warnings'],
  // Users of the SDK within the repository see the declarations that it publishes.
  ['build', 'node scripts/build.ts'],
  ['types', 'tsc -b'],
  ['dead code', 'knip'],
  ['protocol rules', 'node scripts/check-rules.ts'],
  ['generated files', 'node scripts/check-generated.ts'],
  ['examples', 'node scripts/check-examples.ts'],
  ['sdk size', 'npm run --silent check:size --workspace daisi-sdk'],
  ['sdk package', 'npm run --silent check:package --workspace daisi-sdk'],
  ['worker', 'wrangler deploy --dry-run --outdir node_modules/.cache/worker'],
]

for (const [name, command] of steps) {
  const startedAt = performance.now()
  const { status, stdout, stderr } = spawnSync(command, {
    cwd: root,
    shell: true,
    encoding: 'utf8',
    env: { ...process.env, WRANGLER_SEND_METRICS: 'false' },
  })
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  process.stdout.write(`${status === 0 ? 'ok  ' : 'FAIL'} ${name} (${seconds} s)\n`)
  if (status !== 0) {
    process.stdout.write(`\n$ ${command}\n${stdout}${stderr}\n`)
    process.exit(1)
  }
}
