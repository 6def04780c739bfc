import { base64UrlDecode, base64UrlEncode } from './base64url.ts'

/** Seconds for which a challenge may be answered (rule C1). */
export const CHALLENGE_SECONDS = 60

/** A nonce that proves its own age: 16 random bytes, the time, and an HMAC of both. Needs no storage. */
export async function mintChallenge(now: number, key: CryptoKey): Promise<string> {
  const body = new Uint8Array(24)
  crypto.getRandomValues(body.subarray(0, 16))
  new DataView(body.buffer).setFloat64(16, now)
  return `${base64UrlEncode(body)}.${base64UrlEncode(new Uint8Array(await crypto.subtle.sign('HMAC', key, body)))}`
}

/** True if this Orc made the nonce and it has not expired. */
export async function checkChallenge(nonce: string, now: number, key: CryptoKey): Promise<boolean> {
  const [bodyText = '', macText = '', ...more] = nonce.split('.')
  // Anything behind would make another nonce of the same challenge.
  if (more.length > 0) return false
  const body = base64UrlDecode(bodyText)
  const mac = base64UrlDecode(macText)
  if (body === undefined || mac === undefined || body.length !== 24) return false
  if (!(await crypto.subtle.verify('HMAC', key, mac, body))) return false
  const madeAt = new DataView(body.buffer).getFloat64(16)
  return now >= madeAt - 1_000 && now <= madeAt + CHALLENGE_SECONDS * 1_000
}
