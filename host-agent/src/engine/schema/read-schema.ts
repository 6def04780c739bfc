import { anything, type FlatSchema, type JsonType, type Union } from './flat-schema.ts'
import { pointer, SchemaRefusal } from './refusal.ts'

/** A schema that is no boolean. */
export type SchemaObject = Readonly<Record<string, unknown>>

const TYPES: ReadonlySet<string> = new Set([
  'object',
  'array',
  'string',
  'number',
  'integer',
  'boolean',
  'null',
])

/** What a grammar cannot keep, or what would change what other keywords mean. */
const REFUSED = [
  'not',
  'if',
  'then',
  'else',
  'dependencies',
  'dependentRequired',
  'dependentSchemas',
  'patternProperties',
  'contains',
  'minContains',
  'maxContains',
  'unevaluatedItems',
  'unevaluatedProperties',
  '$dynamicRef',
  '$recursiveRef',
]

export function isObject(value: unknown): value is SchemaObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** What the schema itself says, without its `$ref` and `allOf`. Keywords that no specification knows are notes. */
export function readSchema(schema: SchemaObject, path: string): FlatSchema {
  for (const keyword of REFUSED) {
    if (Object.hasOwn(schema, keyword))
      refuse(keyword, `${keyword} cannot be kept by a grammar: say it otherwise`)
  }
  const types = readTypes()
  const items = schema['items']
  const prefix = list('prefixItems') ?? (Array.isArray(items) ? (items as unknown[]) : [])
  if (schema['uniqueItems'] === true && (count('maxItems') ?? 2) > 1) {
    refuse('uniqueItems', 'that items differ cannot be kept by a grammar: leave uniqueItems out')
  }
  const isWhole = readMultipleOf()
  return {
    ...anything(path),
    types: isWhole ? integersOnly(types) : types,
    literals: readLiterals(),
    unions: readUnions(),
    ...numbersOf('minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'),
    ...countsOf('minLength', 'maxLength', 'minItems', 'maxItems', 'minProperties', 'maxProperties'),
    ...textsOf('pattern', 'format'),
    prefix,
    items: Array.isArray(items) ? schema['additionalItems'] : items,
    ...readProperties(),
    required: new Set(names('required')),
  }

  function refuse(keyword: string, message: string): never {
    throw new SchemaRefusal(pointer(path, keyword), message)
  }

  function readTypes(): ReadonlySet<JsonType> | undefined {
    const type = schema['type']
    if (type === undefined) return undefined
    const given: readonly unknown[] = Array.isArray(type) ? type : [type]
    if (given.length === 0 || !given.every((name) => typeof name === 'string' && TYPES.has(name))) {
      refuse('type', 'this type does not exist: use those of JSON Schema')
    }
    const types = new Set(given as JsonType[])
    if (schema['nullable'] === true) types.add('null')
    return types
  }

  function readMultipleOf(): boolean {
    const divisor = schema['multipleOf']
    if (divisor === undefined) return false
    if (divisor !== 1)
      refuse('multipleOf', 'multiples of anything but 1 cannot be kept: leave multipleOf out')
    return true
  }

  function readLiterals(): readonly unknown[] | undefined {
    const values = list('enum')
    if (!Object.hasOwn(schema, 'const')) return values
    const only = schema['const']
    return values === undefined || values.some((value) => JSON.stringify(value) === JSON.stringify(only))
      ? [only]
      : []
  }

  function readUnions(): readonly Union[] {
    return (['anyOf', 'oneOf'] as const).flatMap((keyword) => {
      const alternatives = list(keyword)
      if (alternatives === undefined) return []
      return [{ alternatives, isExclusive: keyword === 'oneOf', path: pointer(path, keyword) }]
    })
  }

  function readProperties(): Pick<FlatSchema, 'properties' | 'additional'> {
    const given = schema['properties'] ?? {}
    if (!isObject(given)) refuse('properties', 'properties is to be an object')
    const properties = new Map(Object.entries(given))
    const additional = schema['additionalProperties']
    const allowed = allowedNames()
    if (allowed === undefined) return { properties, additional }
    for (const name of properties.keys()) if (!allowed.has(name)) properties.set(name, false)
    for (const name of allowed) if (!properties.has(name)) properties.set(name, additional ?? true)
    return { properties, additional: false }
  }

  /** Undefined: any. */
  function allowedNames(): ReadonlySet<string> | undefined {
    const schemaOfNames = schema['propertyNames']
    if (schemaOfNames === undefined || schemaOfNames === true) return undefined
    if (isObject(schemaOfNames)) {
      const { type = 'string', enum: only, ...rest } = schemaOfNames
      const isPlain = type === 'string' && Object.keys(rest).length === 0
      if (isPlain && only === undefined) return undefined
      if (isPlain && isTexts(only)) return new Set(only)
    }
    return refuse('propertyNames', 'names of properties can be kept to an enum of strings only')
  }

  function list(keyword: string): readonly unknown[] | undefined {
    const value = schema[keyword]
    if (value === undefined) return undefined
    if (!Array.isArray(value) || value.length > 4_096)
      refuse(keyword, `${keyword} is to be an array of at most 4,096`)
    return value as unknown[]
  }

  function names(keyword: string): readonly string[] {
    const value = list(keyword) ?? []
    return isTexts(value) ? value : refuse(keyword, `${keyword} is to be an array of strings`)
  }

  function count(keyword: string): number | undefined {
    const value = schema[keyword]
    if (value === undefined) return undefined
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 0) {
      refuse(keyword, `${keyword} is to be a whole number`)
    }
    return value
  }

  function countsOf<Name extends string>(...keywords: readonly Name[]): { [name in Name]?: number } {
    return given(keywords.map((keyword) => [keyword, count(keyword)]))
  }

  function numbersOf<Name extends string>(...keywords: readonly Name[]): { [name in Name]?: number } {
    return given(
      keywords.map((keyword) => {
        const value = schema[keyword]
        if (value === undefined || typeof value === 'number') return [keyword, value]
        return refuse(keyword, `${keyword} is to be a number`)
      }),
    )
  }

  function textsOf<Name extends string>(...keywords: readonly Name[]): { [name in Name]?: string } {
    return given(
      keywords.map((keyword) => {
        const value = schema[keyword]
        if (value === undefined || typeof value === 'string') return [keyword, value]
        return refuse(keyword, `${keyword} is to be a string`)
      }),
    )
  }
}

function integersOnly(types: ReadonlySet<JsonType> | undefined): ReadonlySet<JsonType> {
  const all = types ?? (['object', 'array', 'string', 'number', 'boolean', 'null'] as const)
  return new Set([...all].map((type) => (type === 'number' ? 'integer' : type)))
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}

function given<Name extends string, Value>(
  entries: readonly (readonly [Name, Value | undefined])[],
): { [name in Name]?: Value } {
  const known = entries.filter(([, value]) => value !== undefined)
  return Object.fromEntries(known) as { [name in Name]?: Value }
}
