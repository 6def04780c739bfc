import { Validator } from '@cfworker/json-schema'
import {
  getLlama,
  type Llama,
  LlamaGrammar,
  LlamaGrammarEvaluationState,
  LlamaLogLevel,
  type LlamaModel,
} from 'node-llama-cpp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { MODEL_PATH } from '../../testing/model.ts'
import { JSON_OBJECT_GRAMMAR, schemaToGrammar } from './schema-grammar.ts'
import { GbnfDeriver, seededRandom } from './testing/gbnf-deriver.ts'
import { REFUSALS, SCHEMAS } from './testing/schemas.ts'

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

function grammarOf(schema: Record<string, unknown>): string {
  const grammar = schemaToGrammar(schema)
  if (!grammar.ok) throw new Error(`${grammar.path}: ${grammar.message}`)
  return grammar.gbnf
}

/** Loading it is what llama.cpp may refuse. */
function accepted(gbnf: string): LlamaGrammarEvaluationState {
  return new LlamaGrammarEvaluationState({ model, grammar: new LlamaGrammar(llama, { grammar: gbnf }) })
}

function expectValid(schema: Record<string, unknown>, text: string): void {
  const draft = 'definitions' in schema || 'additionalItems' in schema ? '7' : '2020-12'
  const { valid, errors } = new Validator(schema, draft).validate(JSON.parse(text))
  expect(valid, `${text}\n${errors.map(({ error }) => error).join('\n')}`).toBe(true)
}

describe('what a grammar derives fits its schema', () => {
  test.each(Object.entries(SCHEMAS))('%s', (_, schema) => {
    const gbnf = grammarOf(schema)
    accepted(gbnf)
    const deriver = new GbnfDeriver(gbnf)
    for (let seed = 0; seed < 60; seed += 1) expectValid(schema, deriver.derive(seededRandom(seed)))
  })
})

describe('what a grammar cannot keep is refused where it stands', () => {
  test.each(REFUSALS)('%s', (path, schema) => {
    expect(schemaToGrammar(schema)).toEqual({ ok: false, path, message: expect.any(String) as string })
  })
})
