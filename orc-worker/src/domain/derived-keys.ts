import { base64UrlDecode, base64UrlEncode } from './base64url.ts'

/** Keys for one purpose each, derived from the Orc's one secret (HKDF, RFC 5869), and the Orc's stable name. */
export interface DerivedKeys {
  /** Checksums of credentials. */
  readonly credentialMac: CryptoKey
  /** Challenges that Hosts sign. */
  readonly challengeMac: CryptoKey
  /** One-time codes sent to people, which are too short for a plain hash. */
  readonly loginCodeMac: CryptoKey
  /** Who asks for such codes. */
  readonly loginAskerMac: CryptoKey
  /** Pseudonyms that Hosts see in place of Consumers. */
  readonly pseudonymMac: CryptoKey
  /** User codes of devices that ask to be let in: too short for a plain hash. */
  readonly userCodeMac: CryptoKey
  /** Names of rate limits, so that nobody can choose whose they share. */
  readonly rateLimitMac: CryptoKey
  /** `iss` of this Orc's Session tokens: stable and unique, whatever address it is reached at. */
  readonly issuer: string
}

const encoder = new TextEncoder()

/** Derives every key from `ORC_SECRET`. Throws if the secret is not at least 32 bytes of base64url. */
export async function deriveKeys(orcSecret: string): Promise<DerivedKeys> {
  const secret = base64UrlDecode(orcSecret)
  if (secret === undefined || secret.length < 32) {
    throw new Error(
      'ORC_SECRET must be at least 32 random bytes as base64url: make one with `daisi-orc secrets`',
    )
  }
  const material = await crypto.subtle.importKey('raw', secret, 'HKDF', false, ['deriveBits', 'deriveKey'])
  const [
    credentialMac,
    challengeMac,
    pseudonymMac,
    loginCodeMac,
    loginAskerMac,
    userCodeMac,
    rateLimitMac,
    issuerBits,
  ] = await Promise.all([
    hmacKey(material, 'credential-mac'),
    hmacKey(material, 'challenge-mac'),
    hmacKey(material, 'pseudonym-mac'),
    hmacKey(material, 'login-code-mac'),
    hmacKey(material, 'login-asker-mac'),
    hmacKey(material, 'user-code-mac'),
    hmacKey(material, 'rate-limit-mac'),
    crypto.subtle.deriveBits(parameters('issuer'), material, 128),
  ])
  return {
    credentialMac,
    challengeMac,
    pseudonymMac,
    loginCodeMac,
    loginAskerMac,
    userCodeMac,
    rateLimitMac,
    issuer: `urn:daisi:orc:${base64UrlEncode(new Uint8Array(issuerBits))}`,
  }
}

async function hmacKey(material: CryptoKey, purpose: string): Promise<CryptoKey> {
  return crypto.subtle.deriveKey(
    parameters(purpose),
    material,
    { name: 'HMAC', hash: 'SHA-256', length: 256 },
    false,
    ['sign', 'verify'],
  )
}

function parameters(purpose: string): SubtleCryptoHkdfAlgorithm {
  return { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(0), info: encoder.encode(`daisi/${purpose}`) }
}

interface SubtleCryptoHkdfAlgorithm {
  name: 'HKDF'
  hash: 'SHA-256'
  salt: Uint8Array
  info: Uint8Array
}
