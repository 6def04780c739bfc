import { base64UrlEncode } from './base64url.ts'

/** A fresh code verifier (RFC 7636 §4.1): 32 random bytes, 43 characters. */
export function newCodeVerifier(): string {
  return base64UrlEncode(crypto.getRandomValues(new Uint8Array(32)))
}

/** The `S256` challenge of a verifier (RFC 7636 §4.2). */
export async function codeChallenge(verifier: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier))
  return base64UrlEncode(new Uint8Array(digest))
}
