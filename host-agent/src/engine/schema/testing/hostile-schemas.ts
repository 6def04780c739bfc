type Schema = Record<string, unknown>

/** Schemas of at most 64 KiB or so that grow, branch or nest as much as they can. */
export function hostileSchemas(): Readonly<Record<string, Schema>> {
  return {
    'alternatives that double': { $defs: doubling('anyOf'), $ref: '#/$defs/a0' },
    'conjunctions that double': { $defs: doubling('allOf'), $ref: '#/$defs/a0' },
    'conjunctions that grow': {
      $defs: {
        a: { properties: { x: { $ref: '#/$defs/a' } }, allOf: [{ $ref: '#/$defs/b' }] },
        b: { properties: { x: { allOf: [{ $ref: '#/$defs/a' }, { $ref: '#/$defs/c' }] } } },
        c: { properties: { x: { allOf: [{ $ref: '#/$defs/b' }, { minProperties: 1 }] } } },
      },
      $ref: '#/$defs/a',
    },
    'alternatives times alternatives': {
      allOf: many(12, (i) => ({
        anyOf: many(10, (j) => ({ properties: { [`p${i}`]: { const: j } }, required: [`p${i}`] })),
      })),
    },
    'many alternatives': {
      anyOf: many(2_000, (i) => ({ properties: { k: { const: i } }, required: ['k'] })),
    },
    'many exclusive alternatives': {
      oneOf: many(1_000, (i) => ({ type: 'object', properties: { k: { const: i } }, required: ['k'] })),
    },
    'an enum of prefixes': { enum: many(340, (i) => 'a'.repeat(i)) },
    'an enum of many': { enum: many(4_000, (i) => `v${i * 7_919}`) },
    'many properties': { properties: named(512, () => ({ type: 'null' })), additionalProperties: true },
    'many counted properties': {
      properties: named(512, () => ({ type: 'null' })),
      additionalProperties: false,
      minProperties: 200,
      maxProperties: 300,
    },
    'many lengths': { properties: named(400, (i) => ({ type: 'string', maxLength: 15_000 - i })) },
    'great counts': {
      type: 'object',
      properties: { a: {} },
      additionalProperties: false,
      minProperties: 1e15,
    },
    'great bounds': { type: 'integer', minimum: -1e308, maximum: 1e308 },
    'a pattern of brackets': { pattern: '('.repeat(30_000) },
    'a pattern of repetitions': { pattern: `^${'[a-z]{0,60}'.repeat(60)}$` },
    'a long pattern': { pattern: `^${'(a|b)'.repeat(10_000)}$` },
    'recursion that hides': {
      $defs: {
        a: { anyOf: [{ type: 'array', items: { $ref: '#/$defs/b' } }, { $ref: '#/$defs/b' }] },
        b: { anyOf: [{ $ref: '#/$defs/a' }, { type: 'null' }] },
      },
      $ref: '#/$defs/a',
    },
  }
}

function doubling(keyword: 'anyOf' | 'allOf'): Schema {
  const levels = many(60, (i) => [
    [`a${i}`, { [keyword]: [{ $ref: `#/$defs/a${i + 1}` }, { $ref: `#/$defs/b${i + 1}` }] }],
    [`b${i}`, { [keyword]: [{ $ref: `#/$defs/b${i + 1}` }, { $ref: `#/$defs/a${i + 1}` }] }],
  ])
  return { ...Object.fromEntries(levels.flat()), a60: { type: 'string' }, b60: { maxLength: 5 } } as Schema
}

function named(count: number, schema: (index: number) => Schema): Schema {
  return Object.fromEntries(many(count, (index) => [`property${index * 7_919}`, schema(index)]))
}

function many<Value>(count: number, value: (index: number) => Value): Value[] {
  return Array.from({ length: count }, (_, index) => value(index))
}
