import type { PasskeyAssertion, PasskeyRegistration } from '@daisi/protocol'
import {
  generateAuthenticationOptions,
  generateRegistrationOptions,
  type PublicKeyCredentialCreationOptionsJSON,
  type PublicKeyCredentialRequestOptionsJSON,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from '@simplewebauthn/server'
import { decodeAttestationObject } from '@simplewebauthn/server/helpers'
import { base64UrlDecode, base64UrlEncode } from '../domain/base64url.ts'

// The one file that knows the WebAuthn library.

/** COSE names of Ed25519, ECDSA on P-256 and RSA (RFC 9053), in the order in which they are liked. */
const ALGORITHMS = [-8, -7, -257]

/** Where passkeys are made for. */
export interface PasskeySite {
  readonly origin: string
  /** Host name alone: the relying party id. */
  readonly rpId: string
}

export interface PasskeyOwner {
  readonly userId: string
  /** Shown by the authenticator. */
  readonly label: string
  readonly existing: readonly { readonly id: string; readonly transports: string[] }[]
}

/** What is kept of a new passkey. */
export interface NewPasskey {
  readonly id: string
  readonly publicKey: string
  readonly counter: number
  readonly transports: string[]
}

/** What the browser needs to make a passkey that names its owner by itself. No attestation: no device is favoured or traced. */
export function registrationOptions(
  site: PasskeySite,
  rpName: string,
  owner: PasskeyOwner,
  timeoutMs: number,
): Promise<PublicKeyCredentialCreationOptionsJSON> {
  return generateRegistrationOptions({
    rpName,
    rpID: site.rpId,
    userID: Uint8Array.from(new TextEncoder().encode(owner.userId)),
    userName: owner.label,
    userDisplayName: owner.label,
    timeout: timeoutMs,
    attestationType: 'none',
    excludeCredentials: owner.existing.map(({ id, transports }) => ({ id, transports })),
    authenticatorSelection: {
      residentKey: 'required',
      requireResidentKey: true,
      userVerification: 'required',
    },
    supportedAlgorithmIDs: ALGORITHMS,
  })
}

/** The new passkey, or undefined if anything about the answer is wrong (WebAuthn §7.1). */
export async function verifyRegistration(
  site: PasskeySite,
  challenge: string,
  credential: PasskeyRegistration,
): Promise<NewPasskey | undefined> {
  try {
    if (carriesCertificates(credential)) return undefined
    const { transports = [], ...response } = credential.response
    const { registrationInfo } = await verifyRegistrationResponse({
      response: { ...credential, response, clientExtensionResults: {} },
      expectedChallenge: challenge,
      expectedOrigin: site.origin,
      expectedRPID: site.rpId,
      requireUserVerification: true,
      supportedAlgorithmIDs: ALGORITHMS,
    })
    if (registrationInfo === undefined || registrationInfo.credential.id !== credential.id) return undefined
    const { id, publicKey, counter } = registrationInfo.credential
    return { id, publicKey: base64UrlEncode(publicKey), counter, transports }
  } catch {
    // The library throws whatever is wrong. Its message can hold what the browser sent, so it goes nowhere.
    return undefined
  }
}

/** What the browser needs to log in with any passkey that it has for this site. Names nobody. */
export function loginOptions(
  site: PasskeySite,
  timeoutMs: number,
): Promise<PublicKeyCredentialRequestOptionsJSON> {
  return generateAuthenticationOptions({
    rpID: site.rpId,
    timeout: timeoutMs,
    userVerification: 'required',
  })
}

/** The passkey's new counter, or undefined if anything is wrong, a counter that went back included (WebAuthn §7.2). */
export async function verifyLogin(
  site: PasskeySite,
  challenge: string,
  passkey: NewPasskey & { readonly userId: string },
  credential: PasskeyAssertion,
): Promise<number | undefined> {
  const { userHandle, ...response } = credential.response
  const publicKey = base64UrlDecode(passkey.publicKey)
  // Without a user named before, the passkey itself must say whose it is (WebAuthn §7.2, step 6).
  const owner = base64UrlDecode(userHandle ?? '')
  if (publicKey === undefined || owner === undefined) return undefined
  if (new TextDecoder().decode(owner) !== passkey.userId) return undefined
  try {
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: { ...credential, response, clientExtensionResults: {} },
      expectedChallenge: challenge,
      expectedOrigin: site.origin,
      expectedRPID: site.rpId,
      requireUserVerification: true,
      credential: { id: passkey.id, publicKey, counter: passkey.counter },
    })
    return verified ? authenticationInfo.newCounter : undefined
  } catch {
    return undefined
  }
}

/**
 * True if a registration carries certificates, or what only comes with them. Nobody asked for any, and to check them would be
 * to parse what a stranger sends and to ask their issuers over the network. Throws if it is no attestation at all.
 */
export function carriesCertificates(credential: PasskeyRegistration): boolean {
  const attestation = decodeAttestationObject(
    base64UrlDecode(credential.response.attestationObject) ?? new Uint8Array(),
  )
  const format = attestation.get('fmt')
  // `packed` without certificates is self-attestation, which some authenticators send in any case.
  if (format === 'packed') return attestation.get('attStmt').get('x5c') !== undefined
  return format !== 'none'
}
