import { type Expression, choice, sequence, text } from './expression.ts'

/** Any of these JSON values, written without spaces. What several begin with is written once. */
export function literalGrammar(values: readonly unknown[]): Expression {
  const texts = new Set(values.map((value) => JSON.stringify(value)))
  return branch([...texts].map((literal) => Array.from(literal)))
}

function branch(texts: readonly (readonly string[])[]): Expression {
  const byFirst = Map.groupBy(texts, ([first]) => first ?? '')
  return choice(
    [...byFirst.values()].map((group) => {
      const shared = sharedLength(group)
      const start = text((group[0] ?? []).slice(0, shared).join(''))
      return group.length === 1
        ? start
        : sequence(start, branch(group.map((literal) => literal.slice(shared))))
    }),
  )
}

function sharedLength(texts: readonly (readonly string[])[]): number {
  const [first = [], ...others] = texts
  let length = first.length
  for (const other of others) {
    let same = 0
    while (same < length && first[same] === other[same]) same += 1
    length = same
  }
  return length
}
