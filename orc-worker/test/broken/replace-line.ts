import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { Plugin } from 'vite'
import type { Variant } from './variants.ts'

const SOURCES = path.join(import.meta.dirname, '../../src')

/** Replaces one line of the Orc's source as it is loaded. Throws if not exactly one line of the file is like it. */
export function replaceLine({ file, line, replacement }: Variant): Plugin {
  const target = path.join(SOURCES, file)
  const replaced = (source: string): string => {
    const lines = source.split('\n')
    const places = lines.filter((each) => each === line).length
    if (places !== 1) throw new Error(`${places} lines of ${file} are: ${line}`)
    return lines.map((each) => (each === line ? replacement : each)).join('\n')
  }
  // Told before anything runs: what fails later is to be the property.
  replaced(readFileSync(target, 'utf8'))
  return {
    name: 'replace-line',
    enforce: 'pre',
    transform: (code, id) => (id.split('?')[0] === target ? replaced(code) : undefined),
  }
}
