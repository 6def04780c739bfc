import { Validator } from '@cfworker/json-schema'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { engineJob } from '../../testing/engine-run.ts'
import type { ServedModel } from './served-model.ts'
import { LOAD_TIMEOUT_MS, runOn, serve } from './testing/served.ts'

let model: ServedModel

beforeAll(async () => {
  model = await serve()
}, LOAD_TIMEOUT_MS)
afterAll(() => model.close())

const short = { type: 'string', maxLength: 6 }
const small = { type: 'integer', minimum: 0, maximum: 9 }

function object(
  properties: Record<string, unknown>,
  more: Record<string, unknown> = {},
): Record<string, unknown> {
  return {
    type: 'object',
    properties,
    required: Object.keys(properties),
    additionalProperties: false,
    ...more,
  }
}

/** Schemas as applications write them. What the model says in them is of no interest; that it fits is. */
const schemas: Readonly<Record<string, Record<string, unknown>>> = {
  'an object': object({ name: short, age: small }),
  'nested objects': object({ a: object({ b: object({ c: short }) }) }),
  'optional properties': { type: 'object', properties: { a: short, b: small }, additionalProperties: false },
  'one of two is required': {
    type: 'object',
    properties: { a: small, b: small },
    required: ['b'],
    additionalProperties: false,
  },
  'no properties at all': object({}),
  'properties of any name': { type: 'object', additionalProperties: small, maxProperties: 2 },
  'names from a list': {
    type: 'object',
    propertyNames: { enum: ['x', 'y'] },
    additionalProperties: small,
    maxProperties: 2,
  },
  'an enum of texts': object({ mood: { enum: ['happy', 'sad', 'so-so'] } }),
  'an enum of everything': object({ value: { enum: [1, 'one', null, true, [1], { a: 1 }] } }),
  'a constant': object({ kind: { const: 'circle' }, radius: small }),
  'a constant object': object({ at: { const: { x: 1, y: [2] } } }),
  'a text of some length': object({ code: { type: 'string', minLength: 3, maxLength: 5 } }),
  'a pattern': object({ plate: { type: 'string', pattern: '^[A-Z]{2}-[0-9]{3}$' } }),
  'a pattern with choices': object({ size: { type: 'string', pattern: '^(S|M|X{0,2}L)$' } }),
  'a pattern with classes': object({ id: { type: 'string', pattern: '^\\d{2}[a-f]+\\w?$', maxLength: 8 } }),
  'a date': object({ on: { type: 'string', format: 'date' } }),
  'a time': object({ at: { type: 'string', format: 'time' } }),
  'a moment': object({ at: { type: 'string', format: 'date-time' } }),
  'a uuid': object({ id: { type: 'string', format: 'uuid' } }),
  'an e-mail address': object({ to: { type: 'string', format: 'email' } }),
  'an address of IPv4': object({ ip: { type: 'string', format: 'ipv4' } }),
  'whole numbers in a range': object({ n: { type: 'integer', minimum: -12, maximum: 105 } }),
  'whole numbers between others': object({
    n: { type: 'integer', exclusiveMinimum: 41, exclusiveMaximum: 43 },
  }),
  'numbers in a range': object({ share: { type: 'number', minimum: 0, maximum: 1 } }),
  'a boolean and null': object({ yes: { type: 'boolean' }, nothing: { type: 'null' } }),
  'something or null': object({ maybe: { type: ['string', 'null'], maxLength: 4 } }),
  'something nullable': object({ maybe: { ...small, nullable: true } }),
  'an array': object({ list: { type: 'array', items: small, maxItems: 3 } }),
  'an array of so many': object({ list: { type: 'array', items: short, minItems: 2, maxItems: 2 } }),
  'an array of objects': object({
    list: { type: 'array', items: object({ a: small }), minItems: 1, maxItems: 2 },
  }),
  'an array of arrays': object({
    grid: {
      type: 'array',
      items: { type: 'array', items: small, minItems: 2, maxItems: 2 },
      minItems: 2,
      maxItems: 2,
    },
  }),
  'a tuple': object({ pair: { type: 'array', prefixItems: [short, small], items: false, minItems: 2 } }),
  'a tuple and more': object({
    row: { type: 'array', prefixItems: [small], items: { type: 'boolean' }, minItems: 2, maxItems: 3 },
  }),
  'a list at the root': { type: 'array', items: small, minItems: 1, maxItems: 4 },
  'a text at the root': { enum: ['red', 'green', 'blue'] },
  'any of several': object({ value: { anyOf: [small, { type: 'boolean' }, object({ a: small })] } }),
  'one of several, told apart': object({
    shape: {
      oneOf: [
        object({ kind: { const: 'circle' }, r: small }),
        object({ kind: { const: 'square' }, a: small }),
      ],
    },
  }),
  'all of several': {
    allOf: [
      { type: 'object', properties: { a: small }, required: ['a'] },
      { properties: { b: short }, required: ['b'] },
    ],
  },
  'a reference': {
    ...object({ from: { $ref: '#/$defs/place' }, to: { $ref: '#/$defs/place' } }),
    $defs: { place: object({ city: short }) },
  },
  'a reference of the old kind': {
    ...object({ it: { $ref: '#/definitions/thing' } }),
    definitions: { thing: object({ a: small }) },
  },
  'a tree': {
    ...object({ root: { $ref: '#/$defs/node' } }),
    $defs: {
      node: {
        type: 'object',
        properties: {
          value: small,
          children: { type: 'array', items: { $ref: '#/$defs/node' }, maxItems: 1 },
        },
        required: ['value'],
        additionalProperties: false,
      },
    },
  },
  'notes that change nothing': object(
    { a: { ...small, title: 'A', description: 'a number', default: 1, examples: [2] } },
    { $comment: 'x' },
  ),
  'names that need care': object({ 'a "b"': small, 'c\\d': small, ü: small, '': small }),
}

test('there are forty of them', () => {
  expect(Object.keys(schemas).length).toBeGreaterThanOrEqual(40)
})

test.for(Object.entries(schemas))('%s: every answer fits', async ([, schema]) => {
  const validator = new Validator(schema, '2020-12', false)
  for (const sampling of [{ temperature: 0 }, { temperature: 1.5, seed: 11 }]) {
    const job = engineJob('Extract the name and age as JSON: Maria is 27 years old.', {
      maxTokens: 160,
      ...sampling,
    })
    const { text, last } = await runOn(model, { ...job, output: { type: 'json-schema', schema } })
    expect(last).toMatchObject({ type: 'end', finishReason: 'stop' })
    expect(validator.validate(JSON.parse(text)).errors, text).toEqual([])
  }
})
