import type * as z from 'zod'

/** What is wrong with a value, as precisely as can be told. */
export interface FirstIssue {
  /** Where, with dots; empty for the value itself. */
  readonly path: string
  readonly message: string
}

type Issue = z.core.$ZodIssue

/**
 * The first thing that is wrong. Of a value that may have several forms it is that of the form which it comes closest to: the one that goes wrong
 * deepest inside.
 */
export function firstIssue({ issues }: z.ZodError): FirstIssue {
  const [path, message] = deepest(issues[0], [])
  return { path: path.join('.'), message }
}

function deepest(issue: Issue | undefined, before: readonly PropertyKey[]): readonly [PropertyKey[], string] {
  if (issue === undefined) return [[...before], 'invalid']
  const path = [...before, ...issue.path]
  if (issue.code !== 'invalid_union') return [path, issue.message]
  const forms = issue.errors.map(([first]) => deepest(first, path))
  const best = forms.reduce<(typeof forms)[number] | undefined>(
    (found, form) => (found === undefined || form[0].length > found[0].length ? form : found),
    undefined,
  )
  return best === undefined || best[0].length === path.length ? [path, issue.message] : best
}
