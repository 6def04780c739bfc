import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

// docs/security.md names files, tests and credentials. What is renamed or removed in the code shows here.

const root = join(import.meta.dirname, '..')
const page = readFileSync(join(root, 'docs/security.md'), 'utf8')

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

/** A test as the page cites it: a file in backticks with one or more titles in typographic quotes behind it. */
interface Citation {
  readonly file: string
  readonly title: string
}

const citations: readonly Citation[] = [...page.matchAll(/`([\w./-]+\.test\.ts)`((?:\s+“[^”]+”)+)/g)].flatMap(
  ([, file = '', titles = '']) =>
    [...titles.matchAll(/“([^”]+)”/g)].map(([, title = '']) => ({
      file,
      title: title.replaceAll(/\s+/g, ' '),
    })),
)

/** True if the text is a whole string literal of the source, as titles are. */
function isLiteral(source: string, text: string): boolean {
  const escaped = text.replaceAll("'", String.raw`\'`)
  return [`'${escaped}'`, `"${text}"`, `\`${text}\``].some((literal) => source.includes(literal))
}

describe('the page about security', () => {
  test('every test that is cited is there, by its whole title', () => {
    expect(citations.length).toBeGreaterThan(50)
    const missing = citations.filter(
      ({ file, title }) => !existsSync(join(root, file)) || !isLiteral(read(file), title),
    )
    expect(missing).toEqual([])
  })

  test('every quoted text is a title behind its file', () => {
    expect([...page.matchAll(/“/g)]).toHaveLength(citations.length)
  })

  test('every file that is named is there', () => {
    const named = [...page.matchAll(/`((?:[\w-]+\/)+[\w.-]+\.(?:ts|md))`/g)].map(([, path = '']) => path)
    const linked = [...page.matchAll(/\]\(([^)#\s]+)/g)].map(([, path = '']) => join('docs', path))
    expect(named.length).toBeGreaterThan(20)
    expect([...named, ...linked].filter((path) => !existsSync(join(root, path)))).toEqual([])
  })

  test('every link inside the page leads to a heading of it', () => {
    const headings = [...page.matchAll(/^#+ (.+)$/gm)].map(([, text = '']) =>
      text
        .toLowerCase()
        .replaceAll(/[^\w\s-]/g, '')
        .replaceAll(/\s/g, '-'),
    )
    const leads = [...page.matchAll(/\]\(#([^)]+)\)/g)].map(([, name = '']) => name)
    expect(leads.filter((name) => !headings.includes(name))).toEqual([])
  })

  test('every kind of credential that the Orc mints has a row', () => {
    const source = read('orc-worker/src/domain/credential.ts')
    const prefixes = [...source.matchAll(/prefix: '([^']+)'/g)].map(([, prefix = '']) => prefix)
    const kinds = /export type CredentialKind =([\s|'\w-]+)/.exec(source)?.[1]?.match(/'[\w-]+'/g) ?? []
    expect(prefixes).toHaveLength(kinds.length)
    const rows = page.split('\n').filter((line) => line.startsWith('| '))
    expect(prefixes.filter((prefix) => !rows.some((row) => row.includes(`\`${prefix}\``)))).toEqual([])
  })

  test('the limits are those of the code', () => {
    const source = read('orc-worker/src/domain/rate-limits.ts')
    const defaults = [...source.matchAll(/^ {2}(\w+): \{ perMinute: ([\d_]+), burst: ([\d_]+) \}/gm)]
    const expected = defaults.map((limit) => limit.slice(1).map((text) => text.replaceAll('_', '')))
    const table = page.slice(page.indexOf('### Limits'), page.indexOf('### Log events'))
    // Names have underscores of their own: they are compared without.
    const stated = [...table.matchAll(/^\| `(\w+)` \|[^|]*\| (\d+) \| (\d+) \|$/gm)].map((row) =>
      row.slice(1).map((text) => text.replaceAll('_', '')),
    )
    expect(stated).toEqual(expected)
    expect(stated.length).toBeGreaterThan(0)
  })

  test('every log event that is named is written somewhere', () => {
    const table = page.slice(page.indexOf('### Log events'), page.indexOf('## Rotation'))
    const cells = [...table.matchAll(/^\| (`[^|]+) \|/gm)].map(([, cell = '']) => cell)
    const events = cells.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, event = '']) => event))
    const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard', 'orc-worker/src'], {
      cwd: root,
      encoding: 'utf8',
    })
    const sources = files
      .trim()
      .split('\n')
      .filter((file) => !file.endsWith('.test.ts') && existsSync(join(root, file)))
      .map(read)
      .join('\n')
    expect(events.length).toBeGreaterThan(5)
    expect(events.filter((event) => !sources.includes(`'${event}'`))).toEqual([])
  })
})
