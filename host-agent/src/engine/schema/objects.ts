import { PLAIN_CHARACTERS } from './characters.ts'
import { codePointsOf, complement, intersection } from './code-points.ts'
import { type Expression, choice, EMPTY, oneOf, sequence, text } from './expression.ts'
import type { FlatSchema } from './flat-schema.ts'
import { pointer, SchemaRefusal } from './refusal.ts'
import type { RuleBook } from './rule-book.ts'

/** The grammar of a subschema; undefined if nothing fits it. */
export type Subgrammar = (schema: unknown, path: string) => Expression | undefined

interface Member {
  readonly pair: Expression
  readonly isRequired: boolean
}

const MAX_PROPERTIES = 512
const MAX_NAME_CHARACTERS = 256

/** JSON objects of the schema, properties in its order; undefined if there are none. */
export function objects(schema: FlatSchema, subgrammar: Subgrammar, book: RuleBook): Expression | undefined {
  const names = new Set([...schema.properties.keys(), ...schema.required])
  if (names.size > MAX_PROPERTIES) {
    throw new SchemaRefusal(
      pointer(schema.path, 'properties'),
      `an object has at most ${MAX_PROPERTIES} properties`,
    )
  }
  const members: Member[] = []
  for (const name of names) {
    const value = subgrammar(
      schema.properties.has(name) ? schema.properties.get(name) : (schema.additional ?? true),
      pointer(pointer(schema.path, 'properties'), name),
    )
    const isRequired = schema.required.has(name)
    if (value === undefined && isRequired) return undefined
    if (value !== undefined)
      members.push({ pair: pairOf(text(JSON.stringify(name)), value, book), isRequired })
  }
  const isOpen = isOpenObject(schema)
  const other = isOpen
    ? subgrammar(schema.additional ?? true, pointer(schema.path, 'additionalProperties'))
    : undefined
  const others = other === undefined ? undefined : pairOf(otherName(names, schema.path, book), other, book)
  const content = membersGrammar(schema, members, others, book)
  return content === undefined ? undefined : sequence(text('{'), content, text('}'))
}

/** Whether properties may be written that the schema does not name. */
export function isOpenObject({ additional, properties, required }: FlatSchema): boolean {
  return additional !== undefined ? additional !== false : properties.size === 0 && required.size === 0
}

function pairOf(name: Expression, value: Expression, book: RuleBook): Expression {
  return book.rule(sequence(name, text(':'), book.optional(text(' ')), value))
}

/** From the last member to the first: what may follow, for each number of members written before. */
function membersGrammar(
  schema: FlatSchema,
  members: readonly Member[],
  others: Expression | undefined,
  book: RuleBook,
): Expression | undefined {
  const required = members.filter(({ isRequired }) => isRequired).length
  const { minProperties: min = 0, maxProperties: max = Number.POSITIVE_INFINITY } = schema
  // A name may be written twice and counts once, so that other names are not counted on.
  if (others !== undefined && min > required && (min > 1 || members.length > 0)) {
    throw new SchemaRefusal(
      pointer(schema.path, 'minProperties'),
      'properties without a name in the schema cannot be counted: require them by name',
    )
  }
  if (min > (others === undefined ? members.length : Math.max(required, 1))) return undefined
  const bound = max < members.length ? max : 0
  const cap = Math.max(1, min, bound)
  const comma = sequence(text(','), book.optional(text(' ')))
  const free = max > members.length ? others : undefined
  const maxFree = max === Number.POSITIVE_INFINITY ? undefined : max - members.length

  let following = Array.from({ length: cap + 1 }, (_, written) => {
    if (free === undefined) return written >= min ? EMPTY : undefined
    const more = book.repeat(
      book.rule(sequence(comma, free)),
      0,
      maxFree === undefined ? undefined : Math.min(written > 0 ? maxFree : maxFree - 1, 1_000),
    )
    if (written > 0) return written >= min ? more : undefined
    const some = sequence(free, more)
    return min > 0 ? some : book.optional(some)
  })
  for (const [index, { pair, isRequired }] of [...members.entries()].toReversed()) {
    const isReachedTwice = members.slice(0, index + 1).some((member) => !member.isRequired)
    const rest = following.map((next) => (next === undefined || !isReachedTwice ? next : named(next, book)))
    following = rest.map((without, written) => {
      if (written > index) return undefined
      const isTooMany = bound > 0 && written === bound
      const after = isTooMany ? undefined : rest[Math.min(written + 1, cap)]
      const separated = written === 0 ? pair : sequence(comma, pair)
      const taken = after === undefined ? undefined : sequence(separated, after)
      if (isRequired) return taken
      if (taken === undefined || without === undefined) return taken ?? without
      return after === without && written > 0
        ? sequence(book.optional(separated), without)
        : choice([taken, without])
    })
  }
  return max === 0 ? (required === 0 && min === 0 ? EMPTY : undefined) : following[0]
}

function named(expression: Expression, book: RuleBook): Expression {
  return expression === EMPTY ? expression : book.rule(expression)
}

/** Names that the schema does not have, without escapes: `"\u0061"` would be another spelling of `"a"`. */
function otherName(names: ReadonlySet<string>, path: string, book: RuleBook): Expression {
  const spellable = [...names].map((name) => Array.from(name))
  if (spellable.some((name) => name.length > MAX_NAME_CHARACTERS)) {
    throw new SchemaRefusal(
      pointer(path, 'additionalProperties'),
      `beside other properties a name has at most ${MAX_NAME_CHARACTERS} characters`,
    )
  }
  return sequence(text('"'), except(spellable, book), text('"'))
}

function except(names: readonly (readonly string[])[], book: RuleBook): Expression {
  const anyRest = book.repeat(oneOf(PLAIN_CHARACTERS), 0, undefined)
  if (names.length === 0) return anyRest
  const byFirst = Map.groupBy(names, ([first]) => first)
  const options: Expression[] = byFirst.has(undefined) ? [] : [EMPTY]
  byFirst.delete(undefined)
  for (const [first = '', group] of byFirst) {
    if (JSON.stringify(first) !== `"${first}"` || first === '\u007f') continue
    options.push(
      sequence(
        text(first),
        except(
          group.map((name) => name.slice(1)),
          book,
        ),
      ),
    )
  }
  const others = intersection(PLAIN_CHARACTERS, complement(codePointsOf([...byFirst.keys()].join(''))))
  options.push(sequence(oneOf(others), anyRest))
  return choice(options)
}
