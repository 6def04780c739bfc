import { type Expression, choice, EMPTY, render, sequence } from './expression.ts'
import { checkRules } from './rule-checks.ts'
import { SchemaRefusal } from './refusal.ts'

/** Largest grammar, in characters. */
const MAX_GRAMMAR_CHARACTERS = 256 * 1024

const MAX_RULES = 8_192

/** llama.cpp refuses 2,000 repetitions of one item. */
const MAX_REPETITIONS = 1_000

/** llama.cpp writes a counted repetition out; so many items may it be in all. */
const MAX_WRITTEN_OUT = 128 * 1024

/** A rule, and the part of the schema that it is for. */
export interface Rule {
  readonly path: string
  expression: Expression | undefined
}

/** The rules of a grammar under construction. Rules that say the same are one rule. */
export class RuleBook {
  /** Where in the schema the work is. */
  path = ''
  readonly #rules = new Map<string, Rule>()
  readonly #names = new Map<string, string>()
  #reserved = 0
  #characters = 0
  #writtenOut = 0

  /** A rule to be defined later, for what contains itself. */
  reserve(): string {
    const name = this.#reserved === 0 ? 'root' : `r${this.#reserved}`
    this.#reserved += 1
    this.#rules.set(name, { path: this.path, expression: undefined })
    if (this.#reserved > MAX_RULES) this.#tooLarge()
    return name
  }

  define(name: string, expression: Expression): void {
    const rule = this.#rules.get(name)
    if (rule === undefined) throw new Error(`no rule ${name}`)
    rule.expression = expression
    this.#count(render(expression).length + name.length)
  }

  /** Takes back a reserved rule that nothing fits. */
  drop(name: string): void {
    this.#rules.delete(name)
  }

  /** A name for the expression. */
  rule(expression: Expression): Expression {
    if (expression.kind === 'rule') return expression
    const body = render(expression)
    const known = this.#names.get(body)
    if (known !== undefined) return { kind: 'rule', name: known }
    const name = this.reserve()
    this.define(name, expression)
    this.#names.set(body, name)
    return { kind: 'rule', name }
  }

  /** The item between `min` and `max` times; `max` undefined: without end. */
  repeat(item: Expression, min: number, max: number | undefined): Expression {
    if (min === 1 && max === 1) return item
    if (max === 0) return EMPTY
    const atom = this.#atom(item)
    return sequence(
      this.#exactly(atom, min),
      max === undefined ? { kind: 'repeat', item: atom, min: 0, max } : this.#atMost(atom, max - min),
    )
  }

  optional(item: Expression): Expression {
    return { kind: 'repeat', item: this.#atom(item), min: 0, max: 1 }
  }

  /** The grammar, after checks that llama.cpp can work with it. */
  render(): string {
    checkRules(this.#rules)
    return [...this.#rules]
      .map(([name, { expression }]) => `${name} ::= ${render(expression ?? EMPTY)}\n`)
      .join('')
  }

  #exactly(item: Expression, times: number): Expression {
    if (times === 0) return EMPTY
    if (times === 1) return item
    if (times <= MAX_REPETITIONS) return this.#counted(item, times, times)
    const block = this.rule(this.#counted(item, MAX_REPETITIONS, MAX_REPETITIONS))
    return sequence(block, this.#exactly(item, times - MAX_REPETITIONS))
  }

  #atMost(item: Expression, times: number): Expression {
    if (times === 0) return EMPTY
    if (times <= MAX_REPETITIONS) return this.#counted(item, 0, times)
    const block = this.rule(this.#counted(item, MAX_REPETITIONS, MAX_REPETITIONS))
    const shorter = this.rule(this.#counted(item, 0, MAX_REPETITIONS - 1))
    return this.rule(choice([sequence(block, this.#atMost(item, times - MAX_REPETITIONS)), shorter]))
  }

  #counted(item: Expression, min: number, max: number): Expression {
    const counted: Expression = { kind: 'repeat', item, min, max }
    if (max < 8) return counted
    const body = render(counted)
    if (!this.#names.has(body)) {
      this.#writtenOut += max
      if (this.#writtenOut > MAX_WRITTEN_OUT) this.#tooLarge()
    }
    return this.rule(counted)
  }

  /** llama.cpp multiplies repetitions by the rules within brackets: what is repeated has a name instead. */
  #atom(item: Expression): Expression {
    const small = item.kind === 'rule' || (item.kind === 'set' && item.set.length <= 4)
    return small || (item.kind === 'text' && item.text.length <= 4) ? item : this.rule(item)
  }

  #count(characters: number): void {
    this.#characters += characters + 6
    if (this.#characters > MAX_GRAMMAR_CHARACTERS) this.#tooLarge()
  }

  #tooLarge(): never {
    throw new SchemaRefusal(
      this.path,
      'the schema becomes too large here: use fewer alternatives and smaller counts',
    )
  }
}
