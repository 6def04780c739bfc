import { Validator } from '@cfworker/json-schema'
import * as fc from 'fast-check'
import {
  getLlama,
  type Llama,
  type LlamaGrammar,
  LlamaGrammarEvaluationState,
  LlamaLogLevel,
  type LlamaModel,
} from 'node-llama-cpp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { MODEL_PATH } from '../../testing/model.ts'
import { JSON_OBJECT_GRAMMAR, schemaToGrammar } from './schema-grammar.ts'
import { GbnfDeriver, seededRandom } from './testing/gbnf-deriver.ts'
import { anySchema } from './testing/any-schema.ts'
import { hostileSchemas } from './testing/hostile-schemas.ts'
import { REFUSALS, SCHEMAS } from './testing/schemas.ts'
import { LOST_TEXTS, TEXTS } from './testing/texts.ts'

type Schema = Record<string, unknown>

let llama: Llama
let model: LlamaModel

beforeAll(async () => {
  llama = await getLlama({
    gpu: false,
    build: 'never',
    skipDownload: true,
    progressLogs: false,
    logLevel: LlamaLogLevel.disabled,
    maxThreads: 1,
  })
  model = await llama.loadModel({ modelPath: MODEL_PATH })
})

afterAll(async () => {
  await llama.dispose()
})

function gbnfOf(schema: Schema): string {
  const grammar = schemaToGrammar(schema)
  if (!grammar.ok) throw new Error(`${grammar.path}: ${grammar.message}`)
  return grammar.gbnf
}

/** Whether llama.cpp takes the text as a whole one of the grammar. */
function takes(grammar: LlamaGrammar, text: string): boolean {
  return (grammar as unknown as { _testText(text: string): boolean })._testText(text)
}

function expectValid(schema: Schema, text: string): void {
  const draft = 'definitions' in schema || 'additionalItems' in schema ? '7' : '2020-12'
  const { valid, errors } = new Validator(schema, draft).validate(JSON.parse(text))
  expect(valid, `${text}\n${errors.map(({ error }) => error).join('\n')}`).toBe(true)
}

describe('what a grammar derives fits its schema, and llama.cpp reads the grammar as it is meant', () => {
  test.each(Object.entries(SCHEMAS))('%s', async (_, schema) => {
    const gbnf = gbnfOf(schema)
    const grammar = await llama.createGrammar({ grammar: gbnf })
    const deriver = new GbnfDeriver(gbnf)
    for (let seed = 0; seed < 40; seed += 1) {
      const text = deriver.derive(seededRandom(seed))
      expectValid(schema, text)
      if (text.length < 500) expect(takes(grammar, text), text).toBe(true)
    }
  })

  test('any schema of the part that is kept', () => {
    fc.assert(
      fc.property(anySchema, fc.integer(), (schema, seed) => {
        const grammar = schemaToGrammar(schema)
        fc.pre(grammar.ok)
        const deriver = new GbnfDeriver(grammar.gbnf)
        for (let each = 0; each < 8; each += 1) expectValid(schema, deriver.derive(seededRandom(seed + each)))
      }),
      { seed: 7, numRuns: 150 },
    )
  })

  test('null where OpenAPI allows it', () => {
    const deriver = new GbnfDeriver(gbnfOf({ type: 'boolean', nullable: true }))
    const texts = new Set(Array.from({ length: 40 }, (_, seed) => deriver.derive(seededRandom(seed))))
    expect(texts).toEqual(new Set(['true', 'false', 'null']))
  })
})

describe('texts that a grammar has', () => {
  test.each(TEXTS)('%j: %s', async (schema, text) => {
    expect(takes(await llama.createGrammar({ grammar: gbnfOf(schema) }), text)).toBe(true)
  })

  test.each(LOST_TEXTS)('%j: not %s', async (schema, text) => {
    expect(takes(await llama.createGrammar({ grammar: gbnfOf(schema) }), text)).toBe(false)
  })

  test('any object', async () => {
    const grammar = await llama.createGrammar({ grammar: JSON_OBJECT_GRAMMAR })
    expect(takes(grammar, '{"a": {"b": [1.5e-3, "\\u00e9", null, {}]}, "": []}')).toBe(true)
    expect(takes(grammar, '[1]')).toBe(false)
  })
})

describe('what a grammar cannot keep is refused where it stands', () => {
  test.each(REFUSALS)('%s', (path, schema) => {
    expect(schemaToGrammar(schema)).toEqual({ ok: false, path, message: expect.any(String) as string })
  })
})

describe('hostile schemas cost little', () => {
  test.each(Object.entries(hostileSchemas()))('%s', async (_, schema) => {
    const grammar = schemaToGrammar(schema)
    if (grammar.ok) {
      expect(grammar.gbnf.length).toBeLessThan(256 * 1024)
      await expect(llama.createGrammar({ grammar: grammar.gbnf })).resolves.toBeDefined()
    } else expect(grammar.message).not.toBe('')
  })
})

test('the bundled model writes what fits', async () => {
  const context = await model.createContext({ contextSize: 1_024, threads: 1 })
  const sequence = context.getSequence()
  let ended = 0
  for (const name of [
    'nested',
    'numbers of a range',
    'a union',
    'alternatives by a const',
    'date',
    'a map',
    'enum of strings',
  ]) {
    const schema = SCHEMAS[name]!
    const grammar = await llama.createGrammar({ grammar: gbnfOf(schema) })
    for (let seed = 1; seed <= 3; seed += 1) {
      await sequence.clearHistory()
      const tokens = []
      const grammarEvaluationState = new LlamaGrammarEvaluationState({ model, grammar })
      const prompt = model.tokenize('Answer in JSON: ')
      for await (const token of sequence.evaluate(prompt, {
        temperature: 1,
        seed,
        grammarEvaluationState,
        yieldEogToken: true,
      })) {
        if (model.isEogToken(token)) {
          expectValid(schema, model.detokenize(tokens))
          ended += 1
          break
        }
        tokens.push(token)
        if (tokens.length === 300) break
      }
    }
  }
  expect(ended).toBeGreaterThan(10)
  await context.dispose()
})
