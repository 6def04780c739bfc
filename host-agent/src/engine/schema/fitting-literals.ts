import type { FlatSchema } from './flat-schema.ts'
import { describedTypes } from './flat-schema.ts'
import { pointer, SchemaRefusal } from './refusal.ts'
import { typeOf } from './unions.ts'

/** Those of the values that fit what else the schema says. */
export function fittingLiterals(schema: FlatSchema, values: readonly unknown[]): readonly unknown[] {
  const described = new Set(describedTypes(schema))
  return values.filter((value) => {
    const type = typeOf(value)
    if (!isOfType(value, schema)) return false
    if (!described.has(type)) return true
    if (typeof value === 'number') return isInRange(value, schema)
    if (typeof value === 'string' && schema.pattern === undefined) return isOfLength(value, schema)
    throw new SchemaRefusal(
      pointer(schema.path, 'enum'),
      'values of enum and const cannot be checked against this schema: leave the other keywords out',
    )
  })
}

function isOfType(value: unknown, { types }: FlatSchema): boolean {
  return types === undefined || types.has(typeOf(value)) || (types.has('integer') && Number.isInteger(value))
}

function isInRange(value: number, schema: FlatSchema): boolean {
  return (
    value >= (schema.minimum ?? Number.NEGATIVE_INFINITY) &&
    value <= (schema.maximum ?? Number.POSITIVE_INFINITY) &&
    value > (schema.exclusiveMinimum ?? Number.NEGATIVE_INFINITY) &&
    value < (schema.exclusiveMaximum ?? Number.POSITIVE_INFINITY)
  )
}

/** The format of a value that the schema itself names is not doubted. */
function isOfLength(value: string, schema: FlatSchema): boolean {
  const length = Array.from(value).length
  return length >= (schema.minLength ?? 0) && length <= (schema.maxLength ?? Number.POSITIVE_INFINITY)
}
