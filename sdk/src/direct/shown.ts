import type { ChatCompletionChunk } from '@daisi/protocol/consumer'
import { utf8Length } from './consumer-key.ts'

/** Bytes that a model may have written around one call, beside its name (rule F10). */
const CALL_SYNTAX_BYTES = 64
/** Calls of one answer at most (rule F10). */
const MAX_CALLS = 128

/** Counts what whoever reads an answer is shown of it: text, thoughts and calls. What nobody sees nobody pays. */
export class Shown {
  readonly #named = new Set<number>()

  /** Bytes that a chunk stands for. Undefined where it has what its reader is not shown. */
  bytes({ choices: [choice, ...others] }: ChatCompletionChunk): number | undefined {
    if (choice === undefined) return 0
    if (choice.index !== 0 || others.length > 0) return undefined
    const { content, reasoning_content: reasoning, tool_calls: calls } = choice.delta
    let sum = length(content) + length(reasoning)
    if (calls !== undefined && !Array.isArray(calls)) return undefined
    for (const call of calls ?? []) {
      if (!(Number.isInteger(call?.index) && call.index >= 0 && call.index < MAX_CALLS)) return undefined
      const { name, arguments: written } = call.function ?? {}
      sum += length(written)
      if (name === undefined || this.#named.has(call.index)) continue
      // The allowance comes once for each call, however often it is named.
      this.#named.add(call.index)
      sum += CALL_SYNTAX_BYTES + length(name)
    }
    // Of what is no text the length is none either.
    return Number.isNaN(sum) ? undefined : sum
  }
}

/** Whether a chunk has something of the answer itself. */
export function showsSomething({ choices }: ChatCompletionChunk): boolean {
  return choices.some(({ delta, finish_reason: reason }) =>
    Boolean(delta.content || delta.reasoning_content || delta.tool_calls || reason),
  )
}

function length(text: unknown): number {
  if (text === undefined || text === null) return 0
  return typeof text === 'string' ? utf8Length(text) : Number.NaN
}
