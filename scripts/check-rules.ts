// Fails if a rule of PROTOCOL.md has no test that cites it, or if a test cites a rule that is not there.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const rules = new Set(
  readFileSync(join(root, 'protocol/PROTOCOL.md'), 'utf8').match(/(?<=^- \*\*)[A-Z]\d+/gm),
)
const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '*.test.ts'], {
  cwd: root,
  encoding: 'utf8',
})
const cited = new Set<string>()
for (const file of files.trim().split('\n')) {
  for (const [, list = ''] of readFileSync(join(root, file), 'utf8').matchAll(
    /\[([A-Z]\d+(?:, ?[A-Z]\d+)*)\]/g,
  )) {
    for (const rule of list.split(/, ?/)) cited.add(rule)
  }
}
const untested = [...rules].filter((rule) => !cited.has(rule))
const unknown = [...cited].filter((rule) => !rules.has(rule))
if (untested.length > 0) process.stderr.write(`no test cites ${untested.join(', ')}\n`)
if (unknown.length > 0) process.stderr.write(`PROTOCOL.md has no rule ${unknown.join(', ')}\n`)
process.exit(untested.length + unknown.length === 0 ? 0 : 1)
