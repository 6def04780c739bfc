import * as fc from 'fast-check'

type Schema = Record<string, unknown>

const name = fc.constantFrom('a', 'ab', 'b', 'x"y', 'ü', '')
const small = fc.integer({ min: 0, max: 4 })
const bound = fc.oneof(
  fc.integer({ min: -1_200, max: 1_200 }),
  fc.integer({ min: -99_999, max: 99_999 }).map((value) => value / 1_000),
)
const literal = fc.oneof(
  fc.constantFrom('a', 'b', 'abc', '"'),
  fc.integer({ min: -20, max: 20 }),
  fc.constant(null),
)

/** Random schemas. Some of them have no grammar. */
export const anySchema: fc.Arbitrary<Schema> = fc.letrec<{ schema: Schema }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    limited('string', {
      minLength: small,
      maxLength: small,
      pattern: fc.constantFrom('^a+b?$', 'x', '^[^a]{1,3}$'),
    }),
    limited('integer', { minimum: bound, maximum: bound, exclusiveMinimum: bound, exclusiveMaximum: bound }),
    limited('number', { minimum: bound, maximum: bound, exclusiveMinimum: bound, exclusiveMaximum: bound }),
    fc.record({ enum: fc.array(literal, { minLength: 1, maxLength: 5 }) }),
    fc.record({ const: fc.jsonValue({ maxDepth: 2 }).filter((value) => !Object.is(value, -0)) }),
    fc.record({
      type: fc.uniqueArray(fc.constantFrom('string', 'null', 'boolean', 'integer'), { minLength: 1 }),
    }),
    limited('array', {
      items: tie('schema'),
      prefixItems: fc.array(tie('schema'), { maxLength: 2 }),
      minItems: small,
      maxItems: small,
    }),
    limited('object', {
      properties: fc.dictionary(name, tie('schema'), { maxKeys: 4 }),
      required: fc.uniqueArray(name, { maxLength: 2 }),
      additionalProperties: fc.oneof(fc.boolean(), tie('schema')),
      minProperties: small,
      maxProperties: small,
    }),
    fc.record({ anyOf: fc.array(tie('schema'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ oneOf: fc.array(tie('schema'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ allOf: fc.array(tie('schema'), { minLength: 1, maxLength: 2 }) }),
  ),
})).schema

function limited(type: string, limits: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<Schema> {
  return fc.record(limits, { requiredKeys: [] }).map((given) => ({ type, ...given }))
}
