// Packs the built SDK as npm would and checks what comes out: `node scripts/check-package.ts` after a build.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const run = (command: string, args: readonly string[]): void => {
  execFileSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
}

const dist = join(root, 'dist')
for (const name of readdirSync(dist).filter((name) => name.endsWith('.d.ts'))) {
  // Among themselves they may: the entries share their types.
  // The provider's types are those of the SDK that it is for.
  const text = readFileSync(join(dist, name), 'utf8').replaceAll(/from ["']@ai-sdk\/provider["']/g, '')
  if (!/@daisi\/|\bfrom ["'](?!\.\/)/.test(text)) continue
  process.stderr.write(`dist/${name} imports something: the types of the protocol must be inlined\n`)
  process.exit(1)
}

const folder = mkdtempSync(join(tmpdir(), 'daisi-sdk-'))
try {
  run('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder])
  const [name = ''] = readdirSync(folder)
  const tarball = join(folder, name)
  run('publint', ['run', tarball, '--strict'])
  run('attw', [tarball, '--profile', 'esm-only', '--no-emoji'])
} finally {
  rmSync(folder, { recursive: true, force: true })
}
