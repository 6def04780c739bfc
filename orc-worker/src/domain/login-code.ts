import { base64UrlEncode } from './base64url.ts'

/** How long a code may be used. */
export const LOGIN_CODE_SECONDS = 10 * 60

const CODES = 1_000_000
/** The largest multiple of `CODES` that 32 bits hold: beyond it some codes would be likelier than others. */
const FAIR = Math.floor(2 ** 32 / CODES) * CODES

/** A new code of six digits, each as likely as the others. */
export function newLoginCode(): string {
  for (;;) {
    const [random = FAIR] = crypto.getRandomValues(new Uint32Array(1))
    if (random < FAIR) return String(random % CODES).padStart(6, '0')
  }
}

/** What is stored of a code: an HMAC, since a plain hash of six digits is soon guessed. It fits no other flow. */
export async function loginCodeMac(flowToken: string, code: string, key: CryptoKey): Promise<string> {
  const text = new TextEncoder().encode(JSON.stringify([flowToken, code]))
  return base64UrlEncode(new Uint8Array(await crypto.subtle.sign('HMAC', key, text)))
}
