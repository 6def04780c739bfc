type Schema = Record<string, unknown>

const person: Schema = {
  type: 'object',
  properties: { name: { type: 'string' }, age: { type: 'integer', minimum: 0, maximum: 150 } },
  required: ['name'],
}

/** Texts that must not be lost. */
export const TEXTS: readonly (readonly [Schema, string])[] = [
  [person, '{"name": "Zoë \\"Z\\" \\u00c9", "age": 150}'],
  [person, '{"name":"","age":0}'],
  [person, '{"name":""}'],
  [{ type: 'integer', minimum: -17, maximum: 1203 }, '-17'],
  [{ type: 'integer', minimum: -17, maximum: 1203 }, '1199'],
  [{ type: 'integer', minimum: 0, maximum: 9_007_199_254_740_991 }, '9007199254740991'],
  [{ type: 'number', minimum: -0.25, maximum: 12.505 }, '-0.25'],
  [{ type: 'number', minimum: -0.25, maximum: 12.505 }, '12.505'],
  [{ type: 'number', minimum: -0.25, maximum: 12.505 }, '7'],
  [{ type: 'number', exclusiveMinimum: 0, exclusiveMaximum: 1 }, '0.000001'],
  [{ type: 'number' }, '-1.25E+10'],
  [{ type: 'string', format: 'date' }, '"2024-02-29"'],
  [{ type: 'string', format: 'date-time' }, '"1999-12-31T23:59:59.123Z"'],
  [{ type: 'string', format: 'email' }, '"jo.smith+tag@mail.example.co.uk"'],
  [{ type: 'string', format: 'uri' }, '"https://www.example.com:8080/a/b%20c?d=e&f=/g#h"'],
  [{ type: 'string', format: 'ipv4' }, '"192.168.0.1"'],
  [{ type: 'string', pattern: '^a|b$' }, '"a quick one"'],
  [{ type: 'string', pattern: '^[^"]+$' }, '"tab\\tand \\\\"'],
  [{ type: 'array', items: {}, maxItems: 2 }, '[]'],
  [{ type: 'array', items: {}, maxItems: 2 }, '[[], {"a":null}]'],
  [{ properties: { ab: { type: 'integer' } }, additionalProperties: true }, '{"ab": 1, "a": "x", "abc": {}}'],
]

/** Texts that are not of the schema, or that are written otherwise. */
export const LOST_TEXTS: readonly (readonly [Schema, string])[] = [
  [person, '{"age":1}'],
  [person, '{"name":"","age":151}'],
  [person, '{"name":"","age":01}'],
  [person, '{"name":"",}'],
  [person, '{"name":  ""}'],
  [person, '{"name":"","other":1}'],
  [{ properties: { ab: { type: 'integer' } }, additionalProperties: true }, '{"ab":1,"ab":"x"}'],
  [{ properties: { ab: { type: 'integer' } }, additionalProperties: true }, '{"\\u0061b":"x"}'],
  [{ type: 'integer', minimum: -17, maximum: 1203 }, '-18'],
  [{ type: 'integer', minimum: -17, maximum: 1203 }, '1204'],
  [{ type: 'integer', minimum: -17, maximum: 1203 }, '-0'],
  [{ type: 'number', minimum: -0.25, maximum: 12.505 }, '12.5051'],
  [{ type: 'number', minimum: -0.25, maximum: 12.505 }, '-0.26'],
  [{ type: 'number', exclusiveMinimum: 0, exclusiveMaximum: 1 }, '0.0'],
  [{ type: 'number', exclusiveMinimum: 0 }, '0'],
  [{ type: 'string', format: 'date' }, '"2023-02-29"'],
  [{ type: 'string', minLength: 1 }, '"\\ud83d"'],
  [{ type: 'string', maxLength: 2 }, '"abc"'],
  [{ type: 'string', pattern: '^[a-c]+$', maxLength: 3 }, '"abca"'],
]
