// Fails if a generated file does not match its source, or if a migration could lose money.
import { execFileSync } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const faults: string[] = []

const bindings = 'orc-worker/worker-configuration.d.ts'
const committed = readFileSync(join(root, bindings), 'utf8')
run('wrangler', ['types', '--strict-vars', 'false', bindings])
if (readFileSync(join(root, bindings), 'utf8') !== committed) {
  faults.push(`${bindings} was stale and has been written anew: commit it`)
}

const before = readdirSync(join(root, 'migrations')).length
run('drizzle-kit', ['generate', '--name', 'unnamed_change'])
if (readdirSync(join(root, 'migrations')).length !== before) {
  faults.push('the schema has changed without a migration: one was just written, name it and commit it')
}

// drizzle-kit changes a table by dropping and copying it, which on D1 takes referring rows along. By hand, a table to which
// none refers is renamed to `…_old`, copied and then dropped.
for (const file of readdirSync(join(root, 'migrations')).filter((name) => name.endsWith('.sql'))) {
  const sql = readFileSync(join(root, 'migrations', file), 'utf8')
  const danger = /DROP TABLE(?! `\w+_old`)|foreign_keys\s*=\s*OFF|ON DELETE CASCADE/i.exec(sql)
  if (danger !== null) faults.push(`migrations/${file} contains ${danger[0]}: write it by hand without`)
}

for (const fault of faults) process.stderr.write(`${fault}\n`)
process.exit(faults.length === 0 ? 0 : 1)

function run(command: string, args: readonly string[]): void {
  execFileSync(command, args, {
    cwd: root,
    stdio: 'ignore',
    env: { ...process.env, WRANGLER_SEND_METRICS: 'false' },
  })
}
