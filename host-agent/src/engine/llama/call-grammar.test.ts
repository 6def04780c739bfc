import { expect, test } from 'vitest'
import { BARE_CALLS, TAGGED_CALLS } from '../output/call-syntax.ts'
import { CALL_RULE, CallGrammars } from './call-grammar.ts'

const place = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }

test('a call has the name of a tool and its arguments, under the key of the syntax', () => {
  const tagged = new CallGrammars(TAGGED_CALLS).for([{ name: 'f', parameters: place }], 'auto')
  const bare = new CallGrammars(BARE_CALLS).for([{ name: 'f', parameters: place }], 'auto')
  if (!tagged.ok || !bare.ok) throw new Error('refused')
  expect(tagged.gbnf).toContain(`${CALL_RULE} ::=`)
  expect(tagged.gbnf).toContain('arguments')
  expect(bare.gbnf).toContain('parameters')
})

test('the same tools are the same grammar, a named one is another', () => {
  const grammars = new CallGrammars(TAGGED_CALLS)
  const tools = ['f', 'g'].map((name) => ({ name, parameters: place }))
  expect(grammars.for(structuredClone(tools), 'required')).toBe(grammars.for(tools, 'auto'))
  const named = grammars.for(tools, { name: 'g' })
  if (!named.ok) throw new Error('refused')
  expect(named.gbnf).not.toContain('"f\\""')
})

test('references lead to where they led in the tool', () => {
  const parameters = {
    type: 'object',
    properties: { next: { $ref: '#/$defs/node' } },
    $defs: { node: { type: 'object', properties: { next: { $ref: '#/$defs/node' } } } },
  }
  expect(new CallGrammars(TAGGED_CALLS).for([{ name: 'f', parameters, strict: true }], 'auto').ok).toBe(true)
})

test('more schemas than one job may bring are refused', () => {
  const parameters = { type: 'object', properties: { a: { enum: ['x'.repeat(30_000)] } } }
  const many = Array.from({ length: 5 }, (_, index) => ({ name: `f${index}`, parameters }))
  expect(new CallGrammars(TAGGED_CALLS).for(many, 'auto')).toMatchObject({
    ok: false,
    refusal: { code: 'invalid_payload', field: 'tools' },
  })
})
