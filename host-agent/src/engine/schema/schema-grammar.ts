import { Compiler } from './compiler.ts'
import { SchemaRefusal } from './refusal.ts'
import { RuleBook } from './rule-book.ts'
import { SchemaDocument } from './schema-document.ts'

/** A grammar, or which part of the schema has none (a JSON pointer) and why. */
export type SchemaGrammar =
  | { readonly ok: true; readonly gbnf: string }
  | { readonly ok: false; readonly path: string; readonly message: string }

/**
 * A grammar in llama.cpp's GBNF for a JSON Schema (2020-12, and draft-07's spellings). Every text that it derives is JSON
 * that fits the schema. What a grammar cannot keep is refused, never dropped.
 *
 * Kept:
 * - `type` (also several), `enum`, `const`, `nullable`, boolean schemas.
 * - Objects: `properties` in their order, `required`, `additionalProperties`, `minProperties`, `maxProperties`, and
 *   `propertyNames` with an `enum` of strings. Where `properties` or `required` name some and `additionalProperties` is
 *   absent, no others are written. An object that may have other properties cannot be asked for two of them.
 * - Arrays: `prefixItems` (all of them are written if `maxItems` allows), `items`, `additionalItems`, `minItems`,
 *   `maxItems`. An array whose length is bounded has at most 1,000 items.
 * - Strings: `minLength`, `maxLength` (then at most 16,000 characters), `pattern`, `format`.
 *   Patterns have literals, classes, `\d \w \s`, groups, `|`, `? * + {m,n}`, and anchors at the start and end of an
 *   alternative; nothing that looks around or back. Formats: date, time, date-time, uuid, email, hostname, ipv4, ipv6, uri;
 *   others are notes, as is a format beside a pattern.
 * - Integers within `minimum`, `maximum` and their exclusive forms, exactly; numbers within bounds of at most six digits
 *   after the point, with at most nine digits before it and six after it. `multipleOf` 1.
 * - `anyOf`; `oneOf` whose alternatives differ in type, in a required property with its own `const` or `enum`, or in a
 *   property that one requires and the other does not have; `allOf`; `$ref` to `#` and `#/…`, also recursive.
 * - Without `type`, only values of the types that the other keywords are about are written.
 *
 * Notes such as `title`, `description`, `default`, `examples`, and keywords that no specification knows, change nothing.
 * Refused: `not`, `if`, `dependent…`, `patternProperties`, `contains`, `unevaluated…`, `uniqueItems`, other `multipleOf`,
 * references to elsewhere, what can never end, what nothing fits, and what grows too large.
 *
 * A space may follow each `:` and `,`; there is no other white space.
 */
export function schemaToGrammar(schema: Record<string, unknown>): SchemaGrammar {
  try {
    const book = new RuleBook()
    const root = new Compiler(new SchemaDocument(schema), book).compile(schema, '')
    if (root === undefined) return { ok: false, path: '', message: 'nothing fits this schema: loosen it' }
    return { ok: true, gbnf: book.render() }
  } catch (error) {
    if (!(error instanceof SchemaRefusal)) throw error
    return { ok: false, path: error.path, message: error.message }
  }
}

/** Any JSON object. */
export const JSON_OBJECT_GRAMMAR: string = anyObject()

function anyObject(): string {
  const grammar = schemaToGrammar({ type: 'object' })
  if (!grammar.ok) throw new Error(grammar.message)
  return grammar.gbnf
}
