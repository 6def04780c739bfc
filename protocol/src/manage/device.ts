import * as z from 'zod'
import { hostId, networkName } from '../ids.ts'

// The owner's side of the Device Authorization Grant (RFC 8628). The Host's side is OAuth's: its answers have no schema here.

/** Path of the Orc's metadata as an authorization server (RFC 8414 §3). */
export const OAUTH_METADATA_PATH = '/.well-known/oauth-authorization-server'
/** Where a Host asks to be let in (RFC 8628 §3.1). */
export const DEVICE_AUTHORIZATION_PATH = '/oauth/device_authorization'
/** Where it asks whether it was (RFC 8628 §3.4). */
export const OAUTH_TOKEN_PATH = '/oauth/token'
/** Where its owner types the code (`verification_uri`). */
export const DEVICE_VERIFICATION_PATH = '/device'
/** The grant type of RFC 8628 §3.4. */
export const DEVICE_CODE_GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:device_code'
/** The one client: every Host, which has no secret. */
export const HOST_CLIENT_ID = 'daisi-host'
/** What the access token is good for: enrolling this one Host. */
export const HOST_ENROLMENT_SCOPE = 'host:enrol'

/** Body of `POST /api/device/lookup`, `/approve` and `/deny`. Case, dashes and spaces of the code do not count. */
export const deviceCodeRequest = z.object({ user_code: z.string().min(1).max(64) })

/** Who asks to be let in. Times in seconds since the epoch. The name is the asker's own word, the address is not. */
export const deviceGrantView = z.object({
  host_id: hostId,
  host_name: z.string(),
  network: networkName,
  address: z.string(),
  created_at: z.int(),
  expires_at: z.int(),
})
export type DeviceGrantView = z.infer<typeof deviceGrantView>
