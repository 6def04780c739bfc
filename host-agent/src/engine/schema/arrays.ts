import { type Expression, choice, EMPTY, sequence, text } from './expression.ts'
import type { FlatSchema } from './flat-schema.ts'
import type { Subgrammar } from './objects.ts'
import { pointer, SchemaRefusal } from './refusal.ts'
import type { RuleBook } from './rule-book.ts'

/** Items that an array has at most if its length is bounded at all. */
const MAX_COUNTED_ITEMS = 1_000

/** JSON arrays of the schema, with all items of its prefix that it may have; undefined if there are none. */
export function arrays(schema: FlatSchema, subgrammar: Subgrammar, book: RuleBook): Expression | undefined {
  const { prefix, minItems: min = 0, maxItems: max = Number.POSITIVE_INFINITY } = schema
  if (min > MAX_COUNTED_ITEMS) {
    throw new SchemaRefusal(
      pointer(schema.path, 'minItems'),
      `at least ${MAX_COUNTED_ITEMS} items cannot be asked for`,
    )
  }
  if (min > max) return undefined
  const comma = sequence(text(','), book.optional(text(' ')))
  const start: Expression[] = []
  for (const [index, item] of prefix.slice(0, max).entries()) {
    const grammar = subgrammar(item, pointer(pointer(schema.path, 'prefixItems'), index))
    // What comes before may be the whole array.
    if (grammar === undefined) return start.length >= min ? wrapped(start, EMPTY, comma) : undefined
    start.push(grammar)
  }
  const least = Math.max(0, min - start.length)
  const most = Math.min(max, Math.max(MAX_COUNTED_ITEMS, min)) - start.length
  if (most <= 0 || (least === 0 && prefix.length > 0 && schema.items === undefined)) {
    return wrapped(start, EMPTY, comma)
  }
  const item = subgrammar(schema.items ?? true, pointer(schema.path, 'items'))
  if (item === undefined) return least === 0 ? wrapped(start, EMPTY, comma) : undefined
  const end = max === Number.POSITIVE_INFINITY ? undefined : most
  const next = book.rule(sequence(comma, item))
  if (start.length > 0) return wrapped(start, book.repeat(next, least, end), comma)
  const some = sequence(item, book.repeat(next, Math.max(0, least - 1), end === undefined ? end : end - 1))
  return wrapped([], least > 0 ? some : choice([book.rule(some), EMPTY]), comma)
}

function wrapped(start: readonly Expression[], rest: Expression, comma: Expression): Expression {
  const items = start.flatMap((item, index) => (index === 0 ? [item] : [comma, item]))
  return sequence(text('['), ...items, rest, text(']'))
}
