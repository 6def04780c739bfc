/** Types of JSON, and integers. */
export type JsonType = 'object' | 'array' | 'string' | 'number' | 'integer' | 'boolean' | 'null'

export interface NumberLimits {
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: number
  readonly exclusiveMaximum?: number
}

export interface StringLimits {
  readonly minLength?: number
  readonly maxLength?: number
  readonly pattern?: string
  readonly format?: string
}

interface ArrayLimits {
  /** Schemas of the first items. */
  readonly prefix: readonly unknown[]
  /** Schema of the others; undefined: nothing is said. */
  readonly items: unknown
  readonly minItems?: number
  readonly maxItems?: number
}

interface ObjectLimits {
  readonly properties: ReadonlyMap<string, unknown>
  /** Schema of all other properties; undefined: nothing is said. */
  readonly additional: unknown
  readonly required: ReadonlySet<string>
  readonly minProperties?: number
  readonly maxProperties?: number
}

/** Alternatives, of which one must fit. */
export interface Union {
  readonly alternatives: readonly unknown[]
  /** Exactly one must. */
  readonly isExclusive: boolean
  readonly path: string
}

/** What a schema says once its references and its `allOf` are followed. */
export interface FlatSchema extends NumberLimits, StringLimits, ArrayLimits, ObjectLimits {
  readonly path: string
  readonly isNever: boolean
  readonly types: ReadonlySet<JsonType> | undefined
  /** The only values that there are. */
  readonly literals: readonly unknown[] | undefined
  /** All of them must fit. */
  readonly unions: readonly Union[]
}

/** A schema that says nothing. */
export function anything(path: string): FlatSchema {
  return {
    path,
    isNever: false,
    types: undefined,
    literals: undefined,
    unions: [],
    prefix: [],
    items: undefined,
    properties: new Map(),
    additional: undefined,
    required: new Set(),
  }
}

const KEYWORDS_OF_TYPE: readonly (readonly [JsonType, readonly (keyof FlatSchema)[]])[] = [
  ['object', ['properties', 'additional', 'required', 'minProperties', 'maxProperties']],
  ['array', ['prefix', 'items', 'minItems', 'maxItems']],
  ['string', ['minLength', 'maxLength', 'pattern', 'format']],
  ['number', ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum']],
]

/** The types about which the schema says more than that they may be. */
export function describedTypes(schema: FlatSchema): readonly JsonType[] {
  return KEYWORDS_OF_TYPE.filter(([, keywords]) => keywords.some((keyword) => says(schema[keyword]))).map(
    ([type]) => type,
  )
}

/** Whether every value fits. */
export function isAnything(schema: FlatSchema): boolean {
  return (
    !schema.isNever &&
    schema.types === undefined &&
    schema.literals === undefined &&
    schema.unions.length === 0 &&
    describedTypes(schema).length === 0
  )
}

function says(value: unknown): boolean {
  if (value instanceof Map || value instanceof Set) return value.size > 0
  return Array.isArray(value) ? value.length > 0 : value !== undefined
}
