import { arrays } from './arrays.ts'
import { conjunction } from './conjunction.ts'
import { type Expression, choice, text } from './expression.ts'
import { describedTypes, type FlatSchema, isAnything, type JsonType, type Union } from './flat-schema.ts'
import { fittingLiterals } from './fitting-literals.ts'
import { literalGrammar } from './literals.ts'
import { integers, numbers } from './numbers.ts'
import { objects } from './objects.ts'
import { isObject } from './read-schema.ts'
import { pointer, SchemaRefusal } from './refusal.ts'
import type { RuleBook } from './rule-book.ts'
import type { SchemaDocument } from './schema-document.ts'
import { strings } from './strings.ts'
import { isApart } from './unions.ts'

const ALL_TYPES: readonly JsonType[] = ['object', 'array', 'string', 'number', 'boolean', 'null']

const MAX_DEPTH = 128

/** Makes rules of schemas. */
export class Compiler {
  readonly #document: SchemaDocument
  readonly #book: RuleBook
  /** By what the schema says: the rule, or that nothing fits. */
  readonly #done = new Map<string, Expression | undefined>()
  #depth = 0

  constructor(document: SchemaDocument, book: RuleBook) {
    this.#document = document
    this.#book = book
  }

  /** The rule of a schema; undefined if nothing fits it. Throws a `SchemaRefusal`. */
  compile(schema: unknown, path: string): Expression | undefined {
    const meant = this.#meant(schema, path)
    this.#document.step(meant.path)
    const key = this.#document.keyOf(meant.schema === true ? {} : meant.schema, meant.path)
    if (this.#done.has(key)) return this.#done.get(key)
    this.#deeper(meant.path)
    this.#book.path = meant.path
    const rule: Expression = { kind: 'rule', name: this.#book.reserve() }
    this.#done.set(key, rule)
    const expression = this.#flat(this.#document.flatten(meant.schema, meant.path))
    this.#book.path = meant.path
    this.#depth -= 1
    if (expression !== undefined) {
      this.#book.define(rule.name, expression)
      return rule
    }
    this.#book.drop(rule.name)
    this.#done.set(key, undefined)
    return undefined
  }

  /** Follows references that stand alone, so that all of them share one rule. */
  #meant(schema: unknown, path: string): { readonly schema: unknown; readonly path: string } {
    let meant = { schema, path: this.#document.pathOf(schema, path) }
    while (isObject(meant.schema) && Object.keys(meant.schema).every((key) => key === '$ref')) {
      if (!Object.hasOwn(meant.schema, '$ref')) break
      this.#document.step(meant.path)
      meant = this.#document.resolve(meant.schema['$ref'], pointer(meant.path, '$ref'))
    }
    return meant
  }

  #flat(schema: FlatSchema): Expression | undefined {
    if (schema.isNever) return undefined
    if (schema.unions.length > 0) return this.#union(schema)
    if (schema.literals !== undefined) {
      const values = fittingLiterals(schema, schema.literals)
      return values.length === 0 ? undefined : literalGrammar(values)
    }
    const options = this.#types(schema)
      .map((type) => this.#typed(type, schema))
      .filter((option) => option !== undefined)
    return options.length === 0 ? undefined : choice(options)
  }

  #types(schema: FlatSchema): readonly JsonType[] {
    const described = describedTypes(schema)
    const types =
      schema.types === undefined ? (described.length > 0 ? described : ALL_TYPES) : [...schema.types]
    return types.includes('number') ? types.filter((type) => type !== 'integer') : types
  }

  #typed(type: JsonType, schema: FlatSchema): Expression | undefined {
    const subgrammar = (part: unknown, path: string): Expression | undefined => this.compile(part, path)
    switch (type) {
      case 'object':
        return objects(schema, subgrammar, this.#book)
      case 'array':
        return arrays(schema, subgrammar, this.#book)
      case 'string':
        return strings(schema, schema.path, this.#book)
      case 'number':
        return numbers(schema, schema.path, this.#book)
      case 'integer':
        return integers(schema, this.#book)
      case 'boolean':
        return choice([text('true'), text('false')])
      case 'null':
        return text('null')
    }
  }

  #union(schema: FlatSchema): Expression | undefined {
    const [union, ...unions] = schema.unions
    if (union === undefined) throw new Error('no union')
    const base: FlatSchema = { ...schema, unions }
    if (union.isExclusive) this.#checkApart(base, union)
    this.#deeper(union.path)
    const options = union.alternatives
      .map((alternative, index) => {
        const path = pointer(union.path, index)
        if (isAnything(base)) return this.compile(alternative, path)
        return this.#flat(this.#together(base, alternative, path))
      })
      .filter((option) => option !== undefined)
    this.#depth -= 1
    return options.length === 0 ? undefined : choice(options)
  }

  #deeper(path: string): void {
    this.#depth += 1
    if (this.#depth > MAX_DEPTH) {
      throw new SchemaRefusal(path, 'the schema is too deep here, or refers to itself: use fewer levels')
    }
  }

  #together(base: FlatSchema, alternative: unknown, path: string): FlatSchema {
    const place = this.#document.pathOf(alternative, path)
    return conjunction(base, this.#document.flatten(alternative, place), this.#document.both(place))
  }

  /** No value may fit two alternatives of `oneOf`. */
  #checkApart(base: FlatSchema, { alternatives, path }: Union): void {
    this.#document.step(path, alternatives.length ** 2 / 32)
    const flat = alternatives.map((alternative, index) =>
      this.#together(base, alternative, pointer(path, index)),
    )
    const literalsOf = (part: unknown): readonly unknown[] | undefined =>
      this.#document.literalsOf(part, path)
    for (const [index, one] of flat.entries()) {
      for (const other of flat.slice(index + 1)) {
        if (isApart(one, other, literalsOf) && isApart(other, one, literalsOf)) continue
        throw new SchemaRefusal(
          path,
          'a value may fit two alternatives of oneOf: use anyOf, or give each a required property with its own const',
        )
      }
    }
  }
}
