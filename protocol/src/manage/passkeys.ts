import * as z from 'zod'

/** Bytes as base64url. What an authenticator says is a few hundred bytes; attestation objects can be some thousand. */
const bytes = z
  .string()
  .regex(/^[A-Za-z0-9_-]+$/)
  .max(16_384)
/** Credential ids have at most 1,023 bytes (WebAuthn §4). */
const credentialId = z
  .string()
  .regex(/^[A-Za-z0-9_-]+$/)
  .max(1_364)
/** Names the challenge that an answer belongs to. Good for one answer, for minutes. */
const flow = z.string().min(1).max(128)

/** `PublicKeyCredentialCreationOptionsJSON` and `PublicKeyCredentialRequestOptionsJSON` (WebAuthn §5.1.8, §5.1.9), for the browser to parse. */
const browserOptions = z.looseObject({ challenge: z.string() })

/** Answer of `POST /api/me/passkeys/options` and `POST /api/login/passkey/options`. */
export const passkeyOptions = z.object({ flow, options: browserOptions })
export type PasskeyOptions = z.infer<typeof passkeyOptions>

/** What a browser makes of a new passkey: `RegistrationResponseJSON` (WebAuthn §5.1.8). */
export const passkeyRegistration = z.object({
  id: credentialId,
  rawId: credentialId,
  type: z.literal('public-key'),
  response: z.object({
    clientDataJSON: bytes,
    attestationObject: bytes,
    transports: z.array(z.string().min(1).max(32)).max(8).optional(),
  }),
})
export type PasskeyRegistration = z.infer<typeof passkeyRegistration>

/** What a browser makes of a login: `AuthenticationResponseJSON` (WebAuthn §5.1.9). */
export const passkeyAssertion = z.object({
  id: credentialId,
  rawId: credentialId,
  type: z.literal('public-key'),
  response: z.object({
    clientDataJSON: bytes,
    authenticatorData: bytes,
    signature: bytes,
    userHandle: bytes.nullish(),
  }),
})
export type PasskeyAssertion = z.infer<typeof passkeyAssertion>

/** Body of `POST /api/me/passkeys`. */
export const passkeyRequest = z.object({
  flow,
  /** For its owner to tell it from others. */
  name: z.string().trim().min(1).max(64),
  credential: passkeyRegistration,
})
/** Body of `POST /api/login/passkey`. */
export const passkeyLoginRequest = z.object({ flow, credential: passkeyAssertion })

/** A passkey, as its owner sees it. Times are seconds since the epoch. */
export const passkeyView = z.object({
  id: z.string(),
  name: z.string(),
  created_at: z.int(),
  last_used_at: z.int().nullable(),
})
export type PasskeyView = z.infer<typeof passkeyView>

/** Answer of `GET /api/me/passkeys`. */
export const passkeyList = z.object({ passkeys: z.array(passkeyView) })
export type PasskeyList = z.infer<typeof passkeyList>
