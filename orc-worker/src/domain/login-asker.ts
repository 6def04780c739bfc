import { base64UrlEncode } from './base64url.ts'

/**
 * Who asks for codes for an e-mail address, as it is counted and stored: by the block of their address. Keyed, and bound to the
 * e-mail address, so that what is stored tells neither where somebody was nor who else asked from there.
 */
export async function loginAsker(addressBlock: string, email: string, key: CryptoKey): Promise<string> {
  const text = new TextEncoder().encode(JSON.stringify([addressBlock, email]))
  return base64UrlEncode(new Uint8Array(await crypto.subtle.sign('HMAC', key, text)))
}
