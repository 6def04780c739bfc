import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { Vite } from 'vitest/node'
import type { Variant } from './variants.ts'

const SOURCES = path.join(import.meta.dirname, '../../src')

/** What a line may begin with for the rest of it to be an expression. */
const BEFORE_EXPRESSION = /^\s*(?:return |const \w+ = |\? |: )/

/**
 * Lets the Orc's source run with one of its lines replaced: where a variant has its line, `globalThis.brokenVariant`, its number, decides which
 * of the two runs. Throws if not exactly one line of the file is like it.
 */
export function breakableLines(variants: readonly Variant[]): Vite.Plugin {
  const numbered = variants.map((variant, number) => ({ ...variant, number }))
  const files = Map.groupBy(numbered, ({ file }) => path.join(SOURCES, file))
  const breakable = (source: string, inFile: readonly NumberedVariant[]): string => {
    const byLine = Map.groupBy(inFile, ({ line }) => line)
    const lines = source.split('\n')
    for (const line of byLine.keys()) {
      const places = lines.filter((each) => each === line).length
      if (places !== 1) throw new Error(`${places} lines of ${inFile[0]?.file} are: ${line}`)
    }
    return lines.map((line) => choice(line, byLine.get(line) ?? [])).join('\n')
  }
  // Told before anything runs: what fails later is to be the property.
  for (const [file, inFile] of files) breakable(readFileSync(file, 'utf8'), inFile)
  const variantsIn = (id: string): NumberedVariant[] | undefined => files.get(id.split('?')[0] ?? '')
  return {
    name: 'breakable-lines',
    enforce: 'pre',
    transform: (code, id) => {
      const inFile = variantsIn(id)
      return inFile && breakable(code, inFile)
    },
    // Vitest keeps what became of a source under the source's name, which other projects have too.
    configureVitest: ({ defineCacheKeyGenerator }) =>
      defineCacheKeyGenerator(({ id }) => (variantsIn(id) === undefined ? undefined : false)),
  }
}

interface NumberedVariant extends Variant {
  readonly number: number
}

function choice(line: string, variants: readonly NumberedVariant[]): string {
  if (variants.length === 0) return line
  const [start = ''] = BEFORE_EXPRESSION.exec(line) ?? []
  const isExpression = start !== '' && variants.every(({ replacement }) => replacement.startsWith(start))
  if (!isExpression) {
    const branches = variants.map(({ number, replacement }) => `if (${isBroken(number)}) { ${replacement} }`)
    return `${branches.join(' else ')} else { ${line} }`
  }
  const others = variants.map(
    ({ number, replacement }) => `${isBroken(number)} ? (${replacement.slice(start.length)}) : `,
  )
  return `${start}(${others.join('')}(${line.slice(start.length)}))`
}

function isBroken(number: number): string {
  return `globalThis.brokenVariant === ${number}`
}
