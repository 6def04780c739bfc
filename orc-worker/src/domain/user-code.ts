import { base64UrlEncode } from './base64url.ts'

/** Letters that are not mistaken for others, and no vowels, so that no word comes out (RFC 8628 §6.1). */
const LETTERS = 'BCDFGHJKLMNPQRSTVWXZ'
const LENGTH = 8
/** Bytes from here up would make the first letters likelier than the last. */
const FAIR_BYTES = 256 - (256 % LETTERS.length)

/** A fresh user code, as people see it: `BCDF-GHJK`. 20⁸ are possible (34 bits). */
export function newUserCode(): string {
  let code = ''
  while (code.length < LENGTH) {
    for (const byte of crypto.getRandomValues(new Uint8Array(LENGTH))) {
      if (byte < FAIR_BYTES && code.length < LENGTH) code += LETTERS.charAt(byte % LETTERS.length)
    }
  }
  return showUserCode(code)
}

/** The letters of what somebody typed, whatever their case and the dashes and spaces between them. Undefined if it is no code. */
export function readUserCode(typed: string): string | undefined {
  // Longer ones are no codes, however many spaces are in them.
  if (typed.length > 64) return undefined
  const letters = typed.replaceAll(/[\s\p{Dash_Punctuation}]/gu, '')
  return /^[BCDFGHJKLMNPQRSTVWXZ]{8}$/i.test(letters) ? letters.toUpperCase() : undefined
}

/** A code as people see it, in two groups. */
export function showUserCode(letters: string): string {
  return `${letters.slice(0, LENGTH / 2)}-${letters.slice(LENGTH / 2)}`
}

/** What is stored of a user code: it is too short for a plain hash. `letters` as `readUserCode` gives them. */
export async function userCodeMac(letters: string, key: CryptoKey): Promise<string> {
  const mac = await crypto.subtle.sign('HMAC', key, new TextEncoder().encode(letters))
  return base64UrlEncode(new Uint8Array(mac))
}
