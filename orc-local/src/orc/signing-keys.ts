import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose'

/** The keys of an Orc: the first signs, the second will, what follows did. All are published in its JWKS. */
export type SigningKeys = readonly JWK[]

/** How keys were changed. */
export interface KeyRotation {
  readonly keys: SigningKeys
  /**
   * `shifted`: the next key signs. `prepared`: there was no next key; one is published now, and the same key signs on.
   * `replaced`: no key from before is left.
   */
  readonly outcome: 'shifted' | 'prepared' | 'replaced'
}

/** Makes a private Ed25519 key (RFC 8037), named by its thumbprint (RFC 7638). */
async function makeSigningKey(): Promise<JWK> {
  const { privateKey } = await generateKeyPair('Ed25519', { extractable: true })
  const jwk = await exportJWK(privateKey)
  return { ...jwk, kid: await calculateJwkThumbprint(jwk), alg: 'Ed25519', use: 'sig' }
}

/** The keys of a new Orc: one that signs, and one that is published before it ever does. */
export async function makeSigningKeys(): Promise<SigningKeys> {
  return [await makeSigningKey(), await makeSigningKey()]
}

/** The next key signs, a new one is next, and what the last one signed can still be verified. Older ones are dropped. */
export async function rotateKeys([signing, next]: SigningKeys): Promise<KeyRotation> {
  if (signing === undefined) return replaceKeys()
  if (next === undefined) return { keys: [signing, await makeSigningKey()], outcome: 'prepared' }
  return { keys: [next, await makeSigningKey(), signing], outcome: 'shifted' }
}

/** For keys that were stolen: what they signed, or what a thief signs with them, no longer verifies. */
export async function replaceKeys(): Promise<KeyRotation> {
  return { keys: await makeSigningKeys(), outcome: 'replaced' }
}

/**
 * Reads `SIGNING_KEYS`.
 *
 * @throws Error that says what is wrong, without any of it
 */
export async function parseSigningKeys(text: string): Promise<SigningKeys> {
  const keys: unknown = JSON.parse(text)
  if (!Array.isArray(keys) || keys.length === 0) throw new Error('SIGNING_KEYS is not an array of keys')
  await Promise.all(keys.map((key: JWK) => requireSigningKey(key)))
  return keys
}

async function requireSigningKey(key: JWK): Promise<void> {
  const complete = key.kty === 'OKP' && key.crv === 'Ed25519' && typeof key.d === 'string'
  if (!complete || key.kid !== (await calculateJwkThumbprint(key))) {
    throw new Error('SIGNING_KEYS holds something else than private Ed25519 keys named by their thumbprints')
  }
}
