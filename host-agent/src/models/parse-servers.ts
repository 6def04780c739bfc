import { parseServerSpec, type ServerSpec } from '../engine/upstream/server-spec.ts'
import { ExitCode, FatalError } from '../exit-codes.ts'

/** The servers that an owner names. Throws a `FatalError` that says what is wrong with one. */
export function parseServers(texts: readonly string[]): readonly ServerSpec[] {
  return texts.map((text) => {
    const parsed = parseServerSpec(text)
    if (!parsed.ok) throw new FatalError(ExitCode.Usage, 'invalid_server', parsed.problem)
    return parsed.spec
  })
}
