import { type OutputPart, toolName } from '@daisi/protocol'
import type { CallPiece } from './answer-chunk.ts'
import { ServerError } from './server-error.ts'

/** Calls of one answer at most (F10), and characters of the arguments of all of them. */
const MOST_CALLS = 128
const MOST_CHARACTERS = 1024 * 1024

interface Call {
  readonly index: number
  readonly id: string | undefined
  readonly name: string
  arguments: string
}

/**
 * Reads the calls of one answer (F10): numbers them in the order in which they begin, whatever the server's own numbers are, and names
 * each once. What does not make sense is never mended: it throws a `ServerError`.
 */
export class CallReader {
  readonly #calls: Call[] = []
  /** The call that a number or an id stands for. */
  readonly #byKey = new Map<string, Call>()
  #characters = 0

  /** Calls that have begun. */
  get count(): number {
    return this.#calls.length
  }

  read({ index, id, name, arguments: text }: CallPiece): Extract<OutputPart, { type: 'tool-call' }> {
    const key = keyOf(index, id)
    const open = key === undefined ? this.#calls.at(-1) : this.#byKey.get(key)
    const isNew = open === undefined || (name !== undefined && isOther(id, open))
    const call = isNew ? this.#begin(name, id) : open
    if (name !== undefined && name !== call.name) throw malformed('changed the name of a tool call')
    if (key !== undefined) this.#byKey.set(key, call)
    this.#characters += text.length
    if (this.#characters > MOST_CHARACTERS) throw malformed('sent a tool call that does not end')
    call.arguments += text
    return { type: 'tool-call', index: call.index, ...(isNew && { name: call.name }), arguments: text }
  }

  /** Throws where the arguments of one of the first `count` calls are not the JSON text of an object. */
  check(count: number): void {
    if (!this.#calls.slice(0, count).every((call) => isObject(call.arguments)))
      throw malformed('sent a tool call without JSON arguments')
  }

  #begin(name: string | undefined, id: string | undefined): Call {
    if (name === undefined || !toolName.safeParse(name).success)
      throw malformed('began a tool call without a name')
    if (this.#calls.length === MOST_CALLS) throw malformed('sent too many tool calls')
    const call = { index: this.#calls.length, id, name, arguments: '' }
    this.#calls.push(call)
    return call
  }
}

function keyOf(index: number | undefined, id: string | undefined): string | undefined {
  if (index !== undefined) return `number ${index}`
  return id === undefined ? undefined : `id ${id}`
}

/** Some servers give every call the number 0: an id tells them apart. */
function isOther(id: string | undefined, open: Call): boolean {
  return id !== undefined && open.id !== undefined && id !== open.id
}

function isObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}

function malformed(what: string): ServerError {
  return new ServerError('malformed', `the server ${what}`)
}
