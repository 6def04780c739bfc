import type { Expression } from './expression.ts'
import { SchemaRefusal } from './refusal.ts'
import type { Rule } from './rule-book.ts'

/** So many ways may there be to begin one rule: llama.cpp follows all of them at every token. */
const MAX_BEGINNINGS = 4_096

/** llama.cpp looks for left recursion by following every beginning of every rule. */
const MAX_BEGINNINGS_IN_ALL = 1_000_000

type Rules = ReadonlyMap<string, Rule>

/** Throws a `SchemaRefusal` if a rule can never end, begins with itself, or has too many beginnings. */
export function checkRules(rules: Rules): void {
  const finite = fixpoint(rules, ends)
  const empty = fixpoint(rules, mayBeEmpty)
  for (const [name, rule] of rules) {
    if (!finite.has(name)) {
      throw new SchemaRefusal(
        rule.path,
        'a value of this schema never ends: leave a way out of the recursion',
      )
    }
  }
  const beginnings = new Map<string, number>()
  let all = 0
  for (const [name, rule] of rules) {
    all += countBeginnings(name, rules, empty, beginnings)
    if (all > MAX_BEGINNINGS_IN_ALL) {
      throw new SchemaRefusal(rule.path, 'too many alternatives within alternatives: use fewer')
    }
  }
}

/** The rules for which something holds, given the rules for which it is known to. */
function fixpoint(
  rules: Rules,
  test: (expression: Expression, known: ReadonlySet<string>) => boolean,
): ReadonlySet<string> {
  const users = usersOf(rules)
  const known = new Set<string>()
  const todo = [...rules.keys()]
  for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
    const expression = rules.get(name)?.expression
    if (known.has(name) || expression === undefined || !test(expression, known)) continue
    known.add(name)
    todo.push(...(users.get(name) ?? []))
  }
  return known
}

function usersOf(rules: Rules): ReadonlyMap<string, readonly string[]> {
  const users = new Map<string, string[]>()
  for (const [name, { expression }] of rules) {
    for (const used of expression === undefined ? [] : new Set(rulesIn(expression))) {
      const known = users.get(used)
      if (known === undefined) users.set(used, [name])
      else known.push(name)
    }
  }
  return users
}

function rulesIn(expression: Expression): readonly string[] {
  switch (expression.kind) {
    case 'text':
    case 'set':
      return []
    case 'rule':
      return [expression.name]
    case 'sequence':
      return expression.items.flatMap(rulesIn)
    case 'choice':
      return expression.options.flatMap(rulesIn)
    case 'repeat':
      return rulesIn(expression.item)
  }
}

function ends(expression: Expression, known: ReadonlySet<string>): boolean {
  switch (expression.kind) {
    case 'text':
    case 'set':
      return true
    case 'rule':
      return known.has(expression.name)
    case 'sequence':
      return expression.items.every((item) => ends(item, known))
    case 'choice':
      return expression.options.some((option) => ends(option, known))
    case 'repeat':
      return expression.min === 0 || ends(expression.item, known)
  }
}

function mayBeEmpty(expression: Expression, known: ReadonlySet<string>): boolean {
  switch (expression.kind) {
    case 'text':
      return expression.text === ''
    case 'set':
      return false
    case 'rule':
      return known.has(expression.name)
    case 'sequence':
      return expression.items.every((item) => mayBeEmpty(item, known))
    case 'choice':
      return expression.options.some((option) => mayBeEmpty(option, known))
    case 'repeat':
      return expression.min === 0 || mayBeEmpty(expression.item, known)
  }
}

/** How many ways there are to begin the rule. Throws if one of them is the rule itself. */
function countBeginnings(
  name: string,
  rules: Rules,
  empty: ReadonlySet<string>,
  counts: Map<string, number>,
): number {
  const known = counts.get(name)
  const rule = rules.get(name)
  if (rule === undefined) throw new Error(`no rule ${name}`)
  if (known === Number.POSITIVE_INFINITY) {
    throw new SchemaRefusal(rule.path, 'the schema refers to itself with nothing in between')
  }
  if (known !== undefined) return known
  counts.set(name, Number.POSITIVE_INFINITY)
  const { path } = rule
  const count = rule.expression === undefined ? 0 : beginningsOf(rule.expression)
  if (count > MAX_BEGINNINGS) {
    throw new SchemaRefusal(rule.path, 'too many alternatives within alternatives: use fewer')
  }
  counts.set(name, count)
  return count

  function beginningsOf(expression: Expression): number {
    switch (expression.kind) {
      case 'text':
      case 'set':
        return 1
      case 'rule':
        return countBeginnings(expression.name, rules, empty, counts)
      case 'choice':
        return expression.options.reduce((sum, option) => sum + beginningsOf(option), 0)
      case 'repeat':
        if (expression.max !== 1 && mayBeEmpty(expression.item, empty)) {
          throw new SchemaRefusal(path, 'what is repeated may be empty: give it at least one character')
        }
        return beginningsOf(expression.item) + 1
      case 'sequence': {
        let sum = 0
        for (const item of expression.items) {
          sum += beginningsOf(item)
          if (!mayBeEmpty(item, empty)) break
        }
        return sum
      }
    }
  }
}
