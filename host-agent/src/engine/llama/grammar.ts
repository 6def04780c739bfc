import type { OutputFormat } from '@daisi/protocol'
import { type LlamaGrammar, LlamaGrammarEvaluationState, type LlamaModel, type Token } from 'node-llama-cpp'
import type { EngineRefusal } from '../engine.ts'
import { JSON_OBJECT_GRAMMAR, schemaToGrammar } from '../schema/schema-grammar.ts'
import type { GrammarTrial } from './grammar-trial.ts'
import { allowsToken } from './native.ts'

/** Largest grammar that a schema may become, in characters. */
const LARGEST_GRAMMAR = 512 * 1024

/** Tokens of the vocabulary that are tried to see how long one step of a grammar takes, and the limits for that. */
const TRIED_TOKENS = 64
const LONGEST_TRIAL_MS = 30
const LONGEST_TOKEN_MS = 1_000

/** A grammar that answers can begin with, or why there is none. */
export type OpenedGrammar =
  | { readonly ok: true; readonly grammar: LlamaGrammar }
  | { readonly ok: false; readonly refusal: EngineRefusal }

/** A grammar as text: its rules and the one to begin with. `field` is what of the payload it came from. */
export interface WrittenGrammar {
  readonly gbnf: string
  readonly rule: string
  readonly field: 'output' | 'tools'
}

/** Reads a grammar, if it costs no more than one may. */
export async function openGrammar(
  model: LlamaModel,
  { gbnf, rule, field }: WrittenGrammar,
  trial: GrammarTrial,
): Promise<OpenedGrammar> {
  const invalid = (message: string): OpenedGrammar => refused('invalid_payload', message, field)
  if (gbnf.length > LARGEST_GRAMMAR) return invalid('the schema makes too large a grammar; make it smaller')
  const verdict = gbnf === JSON_OBJECT_GRAMMAR ? 'readable' : await trial.try(gbnf)
  switch (verdict) {
    case 'busy':
      return refused('busy', 'too many grammars are being read; try again', field)
    case 'too_costly':
      return invalid('the grammar takes too long to read; use fewer repetitions inside of each other')
    case 'unreadable':
      return invalid('the grammar cannot be read; check it against the documentation of GBNF')
    case 'readable':
      break
  }
  const grammar = await model.llama.createGrammar({ grammar: gbnf, rootRuleName: rule })
  if (isAffordable(model, new LlamaGrammarEvaluationState({ model, grammar }))) return { ok: true, grammar }
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

/** The grammar of an output format. */
export function formatGrammar(
  output: OutputFormat,
): { readonly ok: true; readonly gbnf: string } | { readonly ok: false; readonly refusal: EngineRefusal } {
  switch (output.type) {
    case 'json':
      return { ok: true, gbnf: JSON_OBJECT_GRAMMAR }
    case 'json-schema': {
      const written = schemaToGrammar(output.schema)
      if (written.ok) return written
      const message = `the schema cannot be followed at ${written.path === '' ? '#' : written.path}: ${written.message}`
      return { ok: false, refusal: { code: 'invalid_payload', field: 'output', message } }
    }
    case 'grammar':
      return { ok: true, gbnf: output.gbnf }
  }
}

function refused(
  code: 'invalid_payload' | 'busy',
  message: string,
  field: WrittenGrammar['field'],
): OpenedGrammar {
  return { ok: false, refusal: code === 'busy' ? { code, message } : { code, message, field } }
}
