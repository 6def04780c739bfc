import type { CodePoints } from './code-points.ts'

/** The right side of a rule. */
export type Expression =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'set'; readonly set: CodePoints }
  | { readonly kind: 'rule'; readonly name: string }
  | { readonly kind: 'sequence'; readonly items: readonly Expression[] }
  | { readonly kind: 'choice'; readonly options: readonly Expression[] }
  | {
      readonly kind: 'repeat'
      readonly item: Expression
      readonly min: number
      /** Undefined: without end. */
      readonly max: number | undefined
    }

/** Exactly this text. */
export function text(literal: string): Expression {
  return { kind: 'text', text: literal }
}

/** Nothing at all. */
export const EMPTY: Expression = text('')

/** One character of a set. */
export function oneOf(set: CodePoints): Expression {
  return { kind: 'set', set }
}

/** One after the other. */
export function sequence(...items: readonly Expression[]): Expression {
  const flat = items
    .flatMap((item) => (item.kind === 'sequence' ? item.items : [item]))
    .filter((item) => item.kind !== 'text' || item.text !== '')
  const [first] = flat
  if (first === undefined) return EMPTY
  return flat.length === 1 ? first : { kind: 'sequence', items: flat }
}

/** Any of these; rules and texts that are given twice once. */
export function choice(options: readonly Expression[]): Expression {
  const flat = options.flatMap((option) => (option.kind === 'choice' ? option.options : [option]))
  const unlike = [...new Map(flat.map((option) => [sameAs(option), option])).values()]
  const [first] = unlike
  if (first === undefined) throw new Error('a choice of nothing')
  return unlike.length === 1 ? first : { kind: 'choice', options: unlike }
}

function sameAs(option: Expression): unknown {
  return option.kind === 'rule' || option.kind === 'text' ? render(option) : option
}

/** The expression as llama.cpp's GBNF. */
export function render(expression: Expression): string {
  switch (expression.kind) {
    case 'text':
      return `"${Array.from(expression.text, escapeInText).join('')}"`
    case 'set':
      return `[${expression.set.map(renderRange).join('')}]`
    case 'rule':
      return expression.name
    case 'sequence':
      return expression.items.map(renderPart).join(' ')
    case 'choice':
      return expression.options.map(render).join(' | ')
    case 'repeat':
      return renderPart(expression.item) + renderCount(expression.min, expression.max)
  }
}

function renderPart(part: Expression): string {
  return part.kind === 'choice' || part.kind === 'sequence' ? `(${render(part)})` : render(part)
}

function renderCount(min: number, max: number | undefined): string {
  if (max === undefined) return min === 0 ? '*' : min === 1 ? '+' : `{${min},}`
  if (min === 0 && max === 1) return '?'
  return min === max ? `{${min}}` : `{${min},${max}}`
}

function renderRange([first, last]: readonly [number, number]): string {
  return first === last ? escapeInSet(first) : `${escapeInSet(first)}-${escapeInSet(last)}`
}

function escapeInText(character: string): string {
  if (character === '"' || character === '\\') return `\\${character}`
  const point = character.codePointAt(0) ?? 0
  return point < 0x20 || point === 0x7f ? hexadecimal(point) : character
}

/** Only letters and digits stand for themselves in a set. */
function escapeInSet(point: number): string {
  const character = String.fromCodePoint(point)
  return /[A-Za-z0-9]/.test(character) ? character : hexadecimal(point)
}

function hexadecimal(point: number): string {
  const digits = point.toString(16).toUpperCase()
  if (point <= 0xff) return `\\x${digits.padStart(2, '0')}`
  return point <= 0xffff ? `\\u${digits.padStart(4, '0')}` : `\\U${digits.padStart(8, '0')}`
}
