import { base64UrlEncode } from './base64url.ts'

/**
 * What a Host sees in place of a Consumer: differs from Session to Session and from Host to Host, so that two Hosts, or
 * one Host over two Sessions, cannot tell that they serve the same Consumer.
 */
export async function pairwisePseudonym(sessionId: string, hostId: string, key: CryptoKey): Promise<string> {
  const mac = await crypto.subtle.sign('HMAC', key, new TextEncoder().encode(`${sessionId}\n${hostId}`))
  return base64UrlEncode(new Uint8Array(mac, 0, 16))
}
