import { MAX_MESSAGE_BYTES } from '../limits.ts'
import { type Down, down } from './down.ts'
import { type Up, up } from './up.ts'

/**
 * What became of one received text message. `unknown` is a well-formed message of a type this side does not know; the
 * receiver ignores it, so that a newer peer can speak to an older one (rule H6).
 */
export type Decoded<Message> =
  | { readonly kind: 'message'; readonly message: Message }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'malformed'; readonly reason: string }
  | { readonly kind: 'too-large' }

/** A text message from a Host becomes a value here and nowhere else. Never throws. */
export function decodeUp(text: string): Decoded<Up> {
  return decode(text, up, UP_TYPES)
}

/** A text message from an Orc becomes a value here and nowhere else. Never throws. */
export function decodeDown(text: string): Decoded<Down> {
  return decode(text, down, DOWN_TYPES)
}

/** The text of a control message, Host → Orc. */
export function encodeUp(message: Up): string {
  return JSON.stringify(message)
}

/** The text of a control message, Orc → Host. */
export function encodeDown(message: Down): string {
  return JSON.stringify(message)
}

const UP_TYPES: ReadonlySet<unknown> = new Set(up.options.map((option) => option.shape.type.value))
const DOWN_TYPES: ReadonlySet<unknown> = new Set(down.options.map((option) => option.shape.type.value))

interface Schema<Message> {
  safeParse(
    value: unknown,
  ):
    | { success: true; data: Message }
    | { success: false; error: { issues: readonly { path: readonly PropertyKey[]; message: string }[] } }
}

function decode<Message>(
  text: string,
  schema: Schema<Message>,
  known: ReadonlySet<unknown>,
): Decoded<Message> {
  if (text.length > MAX_MESSAGE_BYTES) return { kind: 'too-large' }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { kind: 'malformed', reason: 'not JSON' }
  }
  if (typeof value !== 'object' || value === null || !('type' in value) || typeof value.type !== 'string') {
    return { kind: 'malformed', reason: 'no message type' }
  }
  if (!known.has(value.type)) return { kind: 'unknown' }
  const parsed = schema.safeParse(value)
  if (parsed.success) return { kind: 'message', message: parsed.data }
  const issue = parsed.error.issues[0]
  return {
    kind: 'malformed',
    reason: `${value.type}: ${issue?.path.join('.') ?? ''} ${issue?.message ?? 'invalid'}`,
  }
}
