import type { OutputFormat } from '@daisi/protocol'
import { LlamaGrammarEvaluationState, type LlamaModel, type Token } from 'node-llama-cpp'
import type { EngineRefusal } from '../engine.ts'
import { JSON_OBJECT_GRAMMAR, schemaToGrammar } from '../schema/schema-grammar.ts'
import type { GrammarTrial } from './grammar-trial.ts'
import { acceptTokens, allowsToken } from './native.ts'

/** Largest grammar that a schema may become, in characters. */
const LARGEST_GRAMMAR = 512 * 1024

/** Tokens of the vocabulary that are tried to see how long one step of a grammar takes, and the limits for that. */
const TRIED_TOKENS = 64
const LONGEST_TRIAL_MS = 30
const LONGEST_TOKEN_MS = 1_000

/** The grammar of one answer, as far as its continuation has come, or why there is none. */
export type OpenedGrammar =
  | { readonly ok: true; readonly state: LlamaGrammarEvaluationState }
  | { readonly ok: false; readonly refusal: EngineRefusal }

/** Makes the grammar of an output format ready for the token after `continuation`. */
export async function openGrammar(
  model: LlamaModel,
  output: OutputFormat,
  continuation: readonly Token[],
  trial: GrammarTrial,
): Promise<OpenedGrammar> {
  const written = writeGrammar(output)
  if (!written.ok) return invalid(`the schema cannot be followed at ${written.path}: ${written.message}`)
  const { gbnf } = written
  if (gbnf.length > LARGEST_GRAMMAR) return invalid('the schema makes too large a grammar; make it smaller')
  const verdict = gbnf === JSON_OBJECT_GRAMMAR ? 'readable' : await trial.try(gbnf)
  switch (verdict) {
    case 'busy':
      return refused('busy', 'too many grammars are being read; try again')
    case 'too_costly':
      return invalid('the grammar takes too long to read; use fewer repetitions inside of each other')
    case 'unreadable':
      return invalid('the grammar cannot be read; check it against the documentation of GBNF')
    case 'readable':
      return start(model, gbnf, continuation)
  }
}

async function start(
  model: LlamaModel,
  gbnf: string,
  continuation: readonly Token[],
): Promise<OpenedGrammar> {
  const grammar = await model.llama.createGrammar({ grammar: gbnf })
  const state = new LlamaGrammarEvaluationState({ model, grammar })
  if (!acceptTokens(state, model, continuation)) return invalid('continuation does not fit the output format')
  if (isAffordable(model, state)) return { ok: true, state }
  return invalid('the output format leaves too many ways to go on; use fewer optional parts in a row')
}

/** Tries some tokens and reckons what all of them would take. */
function isAffordable(model: LlamaModel, state: LlamaGrammarEvaluationState): boolean {
  const vocabulary = model.fileInfo.metadata.tokenizer.ggml.tokens.length
  const startedAt = performance.now()
  for (let tried = 1; tried <= TRIED_TOKENS; tried++) {
    allowsToken(state, model, Math.floor((vocabulary * (tried - 1)) / TRIED_TOKENS) as Token)
    const tookMs = performance.now() - startedAt
    if (tookMs > LONGEST_TRIAL_MS && (tookMs / tried) * vocabulary > LONGEST_TOKEN_MS) return false
  }
  return true
}

type WrittenGrammar =
  | { readonly ok: true; readonly gbnf: string }
  | { readonly ok: false; readonly path: string; readonly message: string }

function writeGrammar(output: OutputFormat): WrittenGrammar {
  switch (output.type) {
    case 'json':
      return { ok: true, gbnf: JSON_OBJECT_GRAMMAR }
    case 'json-schema':
      return schemaToGrammar(output.schema)
    case 'grammar':
      return { ok: true, gbnf: output.gbnf }
  }
}

function invalid(message: string): OpenedGrammar {
  return refused('invalid_payload', message)
}

function refused(code: 'invalid_payload' | 'busy', message: string): OpenedGrammar {
  return { ok: false, refusal: { code, message } }
}
