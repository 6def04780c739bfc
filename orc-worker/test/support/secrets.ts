import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose'

/** Fresh secrets for one test run. */
export async function testSecrets(): Promise<{
  ORC_SECRET: string
  SIGNING_KEYS: string
  SETUP_TOKEN: string
}> {
  const { privateKey } = await generateKeyPair('Ed25519', { extractable: true })
  const jwk = await exportJWK(privateKey)
  return {
    ORC_SECRET: Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64url'),
    SIGNING_KEYS: JSON.stringify([{ ...jwk, kid: await calculateJwkThumbprint(jwk) }]),
    SETUP_TOKEN: 'setup-token-of-the-tests',
  }
}
