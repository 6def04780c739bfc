import { expect, test } from 'vitest'
import { engineJob } from '../testing/engine-run.ts'
import { textsOf } from './work.ts'

test.each([
  ['a grammar', { type: 'grammar', gbnf: 'root ::= "secret plan"' }],
  ['a schema', { type: 'json-schema', schema: { properties: { a: { enum: ['secret plan'] } } } }],
] as const)(
  'the words of %s are looked at too, since an answer can be made to begin with them',
  (_, output) => {
    const texts = textsOf({ ...engineJob('Hello'), output })
    expect(texts[0]).toBe('Hello')
    expect(texts[1]).toContain('secret plan')
  },
)

test('every text that a Consumer wrote is looked at', () => {
  const sides = { count: 1, width: 64, height: 64 }
  expect(textsOf({ ...engineJob('Hello'), output: { type: 'json' } })).toEqual(['Hello'])
  expect(textsOf({ kind: 'embedding', input: ['a', 'b'] })).toEqual(['a', 'b'])
  expect(textsOf({ kind: 'ranking', query: 'q', documents: ['d'] })).toEqual(['q', 'd'])
  expect(textsOf({ kind: 'image', prompt: 'p', negativePrompt: 'n', ...sides })).toEqual(['p', 'n'])
})
