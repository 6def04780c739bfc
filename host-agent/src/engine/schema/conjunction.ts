import { type FlatSchema, isAnything, type JsonType } from './flat-schema.ts'
import { pointer, SchemaRefusal } from './refusal.ts'

/** Makes one schema of two that must both fit. */
export type Both = (a: unknown, b: unknown) => unknown

/** What both schemas say together. Subschemas for the same place are joined by `both`. */
export function conjunction(a: FlatSchema, b: FlatSchema, both: Both): FlatSchema {
  return {
    path: isAnything(a) ? b.path : a.path,
    isNever: a.isNever || b.isNever,
    types: commonTypes(a.types, b.types),
    literals: commonLiterals(a.literals, b.literals),
    unions: [...a.unions, ...b.unions.filter((union) => !a.unions.some((known) => isSame(known, union)))],
    ...bounds(a, b, ['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties'], Math.max),
    ...bounds(a, b, ['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties'], Math.min),
    ...only(a, b, ['pattern', 'format']),
    prefix: Array.from({ length: Math.max(a.prefix.length, b.prefix.length) }, (_, at) =>
      either(item(a, at), item(b, at), both),
    ),
    items: either(a.items, b.items, both),
    properties: commonProperties(a, b, both),
    additional: either(a.additional, b.additional, both),
    required: new Set([...a.required, ...b.required]),
  }
}

function isSame(a: FlatSchema['unions'][number], b: FlatSchema['unions'][number]): boolean {
  return a.alternatives === b.alternatives && a.isExclusive === b.isExclusive
}

function commonTypes(
  a: ReadonlySet<JsonType> | undefined,
  b: ReadonlySet<JsonType> | undefined,
): ReadonlySet<JsonType> | undefined {
  if (a === undefined || b === undefined) return a ?? b
  const includes = (types: ReadonlySet<JsonType>, type: JsonType): boolean =>
    types.has(type) || (type === 'integer' && types.has('number'))
  return new Set([...a, ...b].filter((type) => includes(a, type) && includes(b, type)))
}

function commonLiterals(
  a: readonly unknown[] | undefined,
  b: readonly unknown[] | undefined,
): readonly unknown[] | undefined {
  if (a === undefined || b === undefined) return a ?? b
  const texts = new Set(b.map((value) => JSON.stringify(value)))
  return a.filter((value) => texts.has(JSON.stringify(value)))
}

function commonProperties(a: FlatSchema, b: FlatSchema, both: Both): ReadonlyMap<string, unknown> {
  const names = new Set([...a.properties.keys(), ...b.properties.keys()])
  return new Map(
    [...names].map((name) => {
      const [left, right] = [property(a, name), property(b, name)]
      return [name, either(left, right, both) ?? true]
    }),
  )
}

function property(schema: FlatSchema, name: string): unknown {
  return schema.properties.has(name) ? schema.properties.get(name) : schema.additional
}

function item(schema: FlatSchema, at: number): unknown {
  return at < schema.prefix.length ? schema.prefix[at] : schema.items
}

function either(a: unknown, b: unknown, both: Both): unknown {
  return a === undefined || b === undefined ? (a ?? b) : both(a, b)
}

function bounds(
  a: FlatSchema,
  b: FlatSchema,
  names: readonly (keyof FlatSchema)[],
  of: (...values: readonly number[]) => number,
): Partial<FlatSchema> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const values = [a[name], b[name]].filter((value) => typeof value === 'number')
      return values.length === 0 ? [] : [[name, of(...values)]]
    }),
  )
}

function only(a: FlatSchema, b: FlatSchema, names: readonly ('pattern' | 'format')[]): Partial<FlatSchema> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const [left, right] = [a[name], b[name]]
      if (left !== undefined && right !== undefined && left !== right) {
        throw new SchemaRefusal(pointer(b.path, name), `a string cannot be kept to two of ${name}: use one`)
      }
      const value = left ?? right
      return value === undefined ? [] : [[name, value]]
    }),
  )
}
