import type { FlatSchema, JsonType } from './flat-schema.ts'
import { isOpenObject } from './objects.ts'

/** The only values of a subschema, if it names them. */
export type LiteralsOf = (schema: unknown) => readonly unknown[] | undefined

/** Whether no text that is written for `written` fits `other`, which is all that one alternative of `oneOf` asks for. */
export function isApart(written: FlatSchema, other: FlatSchema, literalsOf: LiteralsOf): boolean {
  if (written.isNever || other.isNever) return true
  if (areApart(written.literals, other.literals)) return true
  const types = typesOf(written)
  if (!overlap(types, typesOf(other))) return true
  const isObject = types !== undefined && types.size === 1 && types.has('object')
  return isObject && areObjectsApart(written, other, literalsOf)
}

function areObjectsApart(written: FlatSchema, other: FlatSchema, literalsOf: LiteralsOf): boolean {
  for (const name of other.required) {
    const isNamed = written.properties.has(name) || written.required.has(name)
    if (!isNamed && !isOpenObject(written)) return true
  }
  for (const name of written.required) {
    if (!other.properties.has(name)) {
      if (other.additional === false) return true
      continue
    }
    if (areApart(literalsOf(written.properties.get(name)), literalsOf(other.properties.get(name))))
      return true
  }
  return false
}

function areApart(a: readonly unknown[] | undefined, b: readonly unknown[] | undefined): boolean {
  if (a === undefined || b === undefined) return false
  // The same object can be written in several ways: only simple values are compared.
  if ([...a, ...b].some((value) => typeof value === 'object' && value !== null)) return false
  const values = new Set(b)
  return !a.some((value) => values.has(value))
}

/** Undefined: all. */
function typesOf({ types, literals }: FlatSchema): ReadonlySet<JsonType> | undefined {
  if (literals === undefined) return types
  return new Set(
    literals.map(typeOf).filter((type) => types === undefined || types.has(type) || type === 'number'),
  )
}

/** The type of a JSON value; a whole number is a number. */
export function typeOf(value: unknown): JsonType {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  const type = typeof value
  return type === 'string' || type === 'number' || type === 'boolean' ? type : 'object'
}

function overlap(a: ReadonlySet<JsonType> | undefined, b: ReadonlySet<JsonType> | undefined): boolean {
  if (a === undefined || b === undefined) return true
  const general = new Set([...b].map((type) => (type === 'integer' ? 'number' : type)))
  return [...a].some((type) => general.has(type === 'integer' ? 'number' : type))
}
