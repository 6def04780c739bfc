import type { ToolChoice, ToolDefinition } from '@daisi/protocol'
import type { EngineRefusal } from '../engine.ts'
import type { CallSyntax } from '../output/call-syntax.ts'
import { schemaToGrammar } from '../schema/schema-grammar.ts'

/** A grammar of one call, or why there is none. */
export type CallGrammar =
  | { readonly ok: true; readonly gbnf: string }
  | { readonly ok: false; readonly refusal: EngineRefusal }

/** The rule of `callGrammar` to begin with: white space may stand around a call. */
export const CALL_RULE = 'call'

/** Characters that the schemas of all tools of a job may have together: making a grammar of them holds everybody up. */
const MOST_CHARACTERS = 128 * 1024
/** Grammars that are kept: an agent sends the same tools with each of its turns. */
const MOST_KEPT = 32

type Schema = Record<string, unknown>

/** Grammars of calls, made once for the same tools. */
export class CallGrammars {
  readonly #syntax: CallSyntax
  readonly #kept = new Map<string, CallGrammar>()

  constructor(syntax: CallSyntax) {
    this.#syntax = syntax
  }

  for(tools: readonly ToolDefinition[], choice: ToolChoice | undefined): CallGrammar {
    const wanted = typeof choice === 'object' ? tools.filter(({ name }) => name === choice.name) : tools
    const key = JSON.stringify(wanted.map(({ name, parameters, strict }) => [name, parameters, strict]))
    const kept = this.#kept.get(key)
    if (kept !== undefined) return kept
    if (key.length > MOST_CHARACTERS)
      return refused(`the schemas of the tools have more than ${MOST_CHARACTERS} characters; send fewer`)
    const made = callGrammar(wanted, this.#syntax)
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size < MOST_KEPT) break
      this.#kept.delete(oldest)
    }
    this.#kept.set(key, made)
    return made
  }
}

/**
 * What a call of one of the tools may look like: its name, and arguments that fit its schema. Where a grammar cannot hold to the schema of a tool, its arguments are any object, unless it
 * is `strict`: then the Job is refused.
 */
function callGrammar(tools: readonly ToolDefinition[], { argumentsKey }: CallSyntax): CallGrammar {
  const alternatives: Schema[] = []
  for (const { name, parameters = { type: 'object', properties: {} }, strict } of tools) {
    const own = schemaToGrammar({ ...parameters, type: 'object' })
    if (!own.ok && strict === true) {
      const message = `the parameters of the tool ${name} cannot be followed at ${own.path}: ${own.message}; or leave strict out`
      return refused(message)
    }
    const at = `#/anyOf/${alternatives.length}/properties/${argumentsKey}`
    alternatives.push({
      type: 'object',
      properties: {
        name: { const: name },
        [argumentsKey]: own.ok
          ? (moved({ ...parameters, type: 'object' }, at) as Schema)
          : { type: 'object' },
      },
      required: ['name', argumentsKey],
      additionalProperties: false,
    })
  }
  const written = schemaToGrammar({ anyOf: alternatives })
  if (!written.ok) return refused(`the tools cannot be followed at ${written.path}: ${written.message}`)
  return { ok: true, gbnf: `${written.gbnf}${CALL_RULE} ::= [ \\n]? root [ \\n]?\n` }
}

/** A schema at another place of its document: references follow it. */
function moved(schema: unknown, at: string): unknown {
  if (Array.isArray(schema)) return schema.map((entry) => moved(entry, at))
  if (typeof schema !== 'object' || schema === null) return schema
  return Object.fromEntries(
    Object.entries(schema).map(([key, value]) => {
      if (key === '$ref' && typeof value === 'string' && value.startsWith('#'))
        return [key, at + value.slice(1)]
      return [key, key === 'const' || key === 'enum' ? value : moved(value, at)]
    }),
  )
}

function refused(message: string): CallGrammar {
  return { ok: false, refusal: { code: 'invalid_payload', field: 'tools', message } }
}
