import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import {
  COMPATIBILITY_DATE,
  COMPATIBILITY_FLAGS,
  DATABASE_BINDING,
  DEFAULT_VARS,
  DURABLE_OBJECTS,
  SECRET_NAMES,
  uniqueKey,
} from './bindings.ts'

const toml = readFileSync(join(import.meta.dirname, '../../../wrangler.toml'), 'utf8')
  .split('\n')
  .filter((line) => !line.trimStart().startsWith('#'))
  .join('\n')

/** The text of one `[name]` or `[[name]]` table. */
function table(name: string): string {
  return (
    toml.split(/^(?=\[)/m).find((part) => part.startsWith(`[${name}]`) || part.startsWith(`[[${name}]]`)) ??
    ''
  )
}

/** All matches of a pattern, as the pairs of its two groups. */
function pairs(text: string, pattern: RegExp): Record<string, string | undefined> {
  return Object.fromEntries([...text.matchAll(pattern)].map((match) => [match[1], match[2]]))
}

test('the compatibility date and flags are those of wrangler.toml', () => {
  expect(toml).toContain(`compatibility_date = "${COMPATIBILITY_DATE}"`)
  const flags = /^compatibility_flags = \[(.*)\]$/m.exec(toml)?.[1] ?? ''
  expect([...flags.matchAll(/"(\w+)"/g)].map((match) => match[1])).toEqual([...COMPATIBILITY_FLAGS])
})

test('the installed workerd knows the compatibility date', () => {
  const workerd: { readonly compatibilityDate: string } = createRequire(import.meta.url)('workerd')
  expect(COMPATIBILITY_DATE <= workerd.compatibilityDate).toBe(true)
})

test('the Durable Objects are those of wrangler.toml', () => {
  expect(pairs(table('durable_objects'), /name = "(\w+)", class_name = "(\w+)"/g)).toEqual(DURABLE_OBJECTS)
})

test('there is one database, under the same binding', () => {
  expect([...toml.matchAll(/^\[\[d1_databases\]\]/gm)]).toHaveLength(1)
  expect(table('d1_databases')).toContain(`binding = "${DATABASE_BINDING}"`)
})

test('the vars have the same names and defaults', () => {
  expect(pairs(table('vars'), /^(\w+) = "(.*)"$/gm)).toEqual(DEFAULT_VARS)
})

test('the secrets are those that wrangler.toml requires', () => {
  expect([...table('secrets').matchAll(/"(\w+)"/g)].map((match) => match[1])).toEqual([...SECRET_NAMES])
})

test('wrangler.toml has no kind of binding that workerd does not get', () => {
  const known = [
    'observability',
    'vars',
    'd1_databases',
    'durable_objects',
    'migrations',
    'secrets',
    'assets',
  ]
  const found = [...toml.matchAll(/^\[+([\w.]+)\]+$/gm)].map((match) => match[1])
  expect(found.filter((name) => !known.includes(name ?? ''))).toEqual([])
})

test('storage keys stay as they are, because data is found by them', () => {
  expect(Object.values(DURABLE_OBJECTS).map(uniqueKey)).toEqual([
    'daisi-orc-HostConnection',
    'daisi-orc-NetworkDirectory',
    'daisi-orc-ConsumerSession',
    'daisi-orc-Bookkeeper',
    'daisi-orc-RateLimiter',
  ])
})
