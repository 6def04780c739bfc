/** A code that signs somebody in, on its way to the operator of an Orc that sends no e-mail. */
export interface LoginCode {
  readonly email: string
  readonly code: string
  readonly expiresInSeconds: number
}

/** What a line of the Worker's is: a code, one that cannot be read, or something else. */
export type LoginLine =
  | { readonly kind: 'code'; readonly code: LoginCode }
  | { readonly kind: 'unreadable' }
  | { readonly kind: 'other' }

/** Nothing that a terminal would carry out: the address is a stranger's input. */
const PRINTABLE_ADDRESS = /^[\p{L}\p{M}\p{N}\p{P}\p{S}]{1,320}$/u
const CODE = /^[A-Z0-9]{4,16}$/i

/** Recognises the line that the Worker writes with `LOGIN_EMAIL=console`. */
export function readLoginLine(line: string): LoginLine {
  if (!line.startsWith('{') || !line.includes('login_code')) return { kind: 'other' }
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return { kind: 'other' }
  }
  if (typeof value !== 'object' || value === null || !('event' in value) || value.event !== 'login_code')
    return { kind: 'other' }
  const { email, code, expiresInSeconds }: Record<string, unknown> = { ...value }
  const isReadable =
    typeof email === 'string' &&
    PRINTABLE_ADDRESS.test(email) &&
    typeof code === 'string' &&
    CODE.test(code) &&
    typeof expiresInSeconds === 'number' &&
    expiresInSeconds > 0
  return isReadable ? { kind: 'code', code: { email, code, expiresInSeconds } } : { kind: 'unreadable' }
}

/** A code as the operator reads it out. */
export function describeLoginCode({ email, code, expiresInSeconds }: LoginCode): string {
  const minutes = Math.ceil(expiresInSeconds / 60)
  const readable = /^\d{6}$/.test(code) ? `${code.slice(0, 3)} ${code.slice(3)}` : code
  return `Login code for ${email}: ${readable} (${minutes} ${minutes === 1 ? 'minute' : 'minutes'})`
}
