import { base64UrlEncode } from './base64url.ts'

/** What a Host sees in place of a Consumer and its Session. */
export interface Pseudonyms {
  readonly consumer: string
  readonly sessionId: string
}

/**
 * Names that differ from Session to Session and from Host to Host, so that two Hosts, or one Host over two Sessions, cannot
 * tell that they serve the same Consumer. The same pair always has the same names: a Host can tell a replay.
 */
export async function pairwisePseudonyms(
  sessionId: string,
  hostId: string,
  key: CryptoKey,
): Promise<Pseudonyms> {
  const mac = await crypto.subtle.sign('HMAC', key, new TextEncoder().encode(`${sessionId}\n${hostId}`))
  return {
    consumer: base64UrlEncode(new Uint8Array(mac, 0, 16)),
    sessionId: `ses_${base64UrlEncode(new Uint8Array(mac, 16, 16))}`,
  }
}
