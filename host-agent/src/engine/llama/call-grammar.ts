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

type Schema = Record<string, unknown>

/**
 * What a call of one of the tools may look like: its name, and arguments that fit its schema. Where a grammar cannot hold to the schema of a tool, its arguments are any object, unless it
 * is `strict`: then the Job is refused.
 */
export function callGrammar(
  tools: readonly ToolDefinition[],
  choice: ToolChoice | undefined,
  { argumentsKey }: CallSyntax,
): CallGrammar {
  const wanted = typeof choice === 'object' ? tools.filter(({ name }) => name === choice.name) : tools
  const alternatives: Schema[] = []
  for (const { name, parameters = { type: 'object', properties: {} }, strict } of wanted) {
    const own = schemaToGrammar({ ...parameters, type: 'object' })
    if (!own.ok && strict === true) {
      const message = `the parameters of the tool ${name} cannot be followed at ${own.path}: ${own.message}; or leave strict out`
      return { ok: false, refusal: { code: 'invalid_payload', field: 'tools', message } }
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
  if (!written.ok)
    return {
      ok: false,
      refusal: {
        code: 'invalid_payload',
        field: 'tools',
        message: `the tools cannot be followed at ${written.path}: ${written.message}`,
      },
    }
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
