import { base64UrlEncode } from './base64url.ts'

/**
 * Credentials that this Orc makes: `daisi_sk_` Secret Keys, `daisi_bt_` browser tokens, `daisi_at_` account tokens, `daisi_et_` enrolment tokens and
 * `ses_` Session ids, `daisi_lf_` tokens of logins under way and `daisi_ls_` login cookies. Each is a prefix, random bytes and
 * a truncated HMAC-SHA256 of both, so that a made-up one is told from a real one without touching storage (rule A1). Only
 * the SHA-256 of a credential is ever stored.
 */
export type CredentialKind =
  | 'secret-key'
  | 'browser-token'
  | 'account-token'
  | 'enrolment-token'
  | 'device-code'
  | 'network-invitation'
  | 'host-transfer'
  | 'session-id'
  | 'login-flow'
  | 'login-session'

const FORMATS: Readonly<Record<CredentialKind, { prefix: string; randomBytes: number }>> = {
  'secret-key': { prefix: 'daisi_sk_', randomBytes: 32 },
  'browser-token': { prefix: 'daisi_bt_', randomBytes: 32 },
  'account-token': { prefix: 'daisi_at_', randomBytes: 32 },
  'enrolment-token': { prefix: 'daisi_et_', randomBytes: 32 },
  'network-invitation': { prefix: 'daisi_ni_', randomBytes: 32 },
  'host-transfer': { prefix: 'daisi_ht_', randomBytes: 32 },
  'device-code': { prefix: 'daisi_dc_', randomBytes: 32 },
  'session-id': { prefix: 'ses_', randomBytes: 16 },
  'login-flow': { prefix: 'daisi_lf_', randomBytes: 32 },
  // 16 bytes name the login session, 32 are this cookie's own.
  'login-session': { prefix: 'daisi_ls_', randomBytes: 48 },
}

/** Bytes of the HMAC that a credential carries. 64 bits: guessing one only ever reaches a lookup that fails. */
const MAC_BYTES = 8
const encoder = new TextEncoder()

/** A new credential of this kind, from fresh random bytes, the first of which are `lead`, where it has one. */
export async function mintCredential(
  kind: CredentialKind,
  macKey: CryptoKey,
  lead: Uint8Array = new Uint8Array(0),
): Promise<string> {
  const format = FORMATS[kind]
  const random = crypto.getRandomValues(new Uint8Array(format.randomBytes))
  random.set(lead)
  const head = format.prefix + base64UrlEncode(random)
  return head + base64UrlEncode(await truncatedMac(head, macKey))
}

/**
 * The storage hash of a credential, or undefined if its shape or checksum is wrong. Does the same work in every case, so
 * that its time tells nothing.
 */
export async function checkCredential(
  kind: CredentialKind,
  text: string,
  macKey: CryptoKey,
): Promise<string | undefined> {
  const format = FORMATS[kind]
  const headLength = format.prefix.length + Math.ceil((format.randomBytes * 8) / 6)
  const length = headLength + Math.ceil((MAC_BYTES * 8) / 6)
  const [mac, hash] = await Promise.all([
    truncatedMac(text.slice(0, headLength), macKey),
    hashCredential(text.slice(0, length)),
  ])
  // As text: the last character of base64url has bits to spare, so several decode to the same bytes.
  const expected = encoder.encode(base64UrlEncode(mac))
  const given = encoder.encode(text.slice(headLength))
  const sameLength = given.length === expected.length
  const equal = crypto.subtle.timingSafeEqual(sameLength ? given : expected, expected)
  return equal && sameLength && text.length === length && text.startsWith(format.prefix) ? hash : undefined
}

/** SHA-256 of a credential, base64url. High-entropy secrets need no slow hash. */
export async function hashCredential(text: string): Promise<string> {
  return base64UrlEncode(new Uint8Array(await crypto.subtle.digest('SHA-256', encoder.encode(text))))
}

/** In place of a hash where there is no credential: nothing is known that has it. */
export function hashOfNothing(): string {
  return base64UrlEncode(crypto.getRandomValues(new Uint8Array(32)))
}

async function truncatedMac(text: string, key: CryptoKey): Promise<Uint8Array<ArrayBuffer>> {
  const mac = await crypto.subtle.sign('HMAC', key, encoder.encode(text))
  return new Uint8Array(mac.slice(0, MAC_BYTES))
}
