import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { Vite } from 'vitest/node'
import type { Variant } from './variants.ts'

const SOURCES = path.join(import.meta.dirname, '../../src')

/** Replaces one line of the Orc's source as it is loaded. Throws if not exactly one line of the file is like it. */
export function replaceLine({ file, line, replacement }: Variant): Vite.Plugin {
  const target = path.join(SOURCES, file)
  const replaced = (source: string): string => {
    const lines = source.split('\n')
    const places = lines.filter((each) => each === line).length
    if (places !== 1) throw new Error(`${places} lines of ${file} are: ${line}`)
    return lines.map((each) => (each === line ? replacement : each)).join('\n')
  }
  const isTarget = (id: string): boolean => id.split('?')[0] === target
  // Told before anything runs: what fails later is to be the property.
  replaced(readFileSync(target, 'utf8'))
  return {
    name: 'replace-line',
    enforce: 'pre',
    transform: (code, id) => (isTarget(id) ? replaced(code) : undefined),
    // Vitest keeps what became of a source under the source's name, which is the same for every variant.
    configureVitest: ({ defineCacheKeyGenerator }) =>
      defineCacheKeyGenerator(({ id }) => (isTarget(id) ? false : undefined)),
  }
}
