import {
  DEVICE_AUTHORIZATION_PATH,
  DEVICE_CODE_GRANT_TYPE,
  DEVICE_VERIFICATION_PATH,
  HOST_CLIENT_ID,
  HOST_ENROLMENT_SCOPE,
  OAUTH_TOKEN_PATH,
  hostId,
  networkName,
} from '@daisi/protocol'
import { PUBLIC_NETWORK, readConfig } from '../config.ts'
import { database } from '../db/client.ts'
import {
  DEVICE_GRANT_SECONDS,
  GRANTED_ENROLMENT_SECONDS,
  type GrantRequest,
  POLL_INTERVAL_SECONDS,
  type PollResult,
  createDeviceGrant,
  pollDeviceGrant,
} from '../db/device-grants.ts'
import { hostAlias } from '../domain/alias.ts'
import { checkCredential, hashCredential, mintCredential } from '../domain/credential.ts'
import { newUserCode, readUserCode, userCodeMac } from '../domain/user-code.ts'
import { clientAddress } from '../http/client-address.ts'
import type { AppContext } from '../http/context.ts'
import { type Form, readForm } from '../http/form.ts'
import { oauthAnswer, oauthError } from '../http/oauth-answers.ts'

/** Two grants of 2,000 have the same user code once in 10⁷ times; a Host that meets one that is taken gets another. */
const USER_CODE_TRIES = 3
/** What people can tell from each other: letters, digits, signs and single spaces, and nothing that turns text around. */
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S}]+( [\p{L}\p{M}\p{N}\p{P}\p{S}]+)*$/u
const MAX_NAME = 64
/** Characters of an address. The longest has 45. */
const MAX_ADDRESS = 64

type Fields = ReadonlyMap<string, string>

const POLL_ERRORS: Readonly<Record<Exclude<PollResult, 'redeemed'>, string>> = {
  authorization_pending: 'The owner has not decided yet. Ask again after the interval.',
  slow_down: `Asked too soon. Wait ${POLL_INTERVAL_SECONDS} seconds longer between two tries from now on.`,
  access_denied: 'The owner refused this Host.',
  expired_token: 'This device code has expired. Start again.',
  invalid_grant: 'This device code is unknown here or was used. Start again.',
}

/** `GET /.well-known/oauth-authorization-server` (RFC 8414 §3.2). */
export function describeAuthorizationServer(c: AppContext): Response {
  const { origin } = new URL(c.req.url)
  return c.json({
    issuer: origin,
    device_authorization_endpoint: origin + DEVICE_AUTHORIZATION_PATH,
    token_endpoint: origin + OAUTH_TOKEN_PATH,
    grant_types_supported: [DEVICE_CODE_GRANT_TYPE],
    token_endpoint_auth_methods_supported: ['none'],
    response_types_supported: [],
    scopes_supported: [HOST_ENROLMENT_SCOPE],
  })
}

/** `POST /oauth/device_authorization` (RFC 8628 §3.1): a Host asks to be let in. */
export async function authorizeDevice(c: AppContext): Promise<Response> {
  const fields = await readClientForm(c)
  if (fields instanceof Response) return fields
  const asked = await readAsked(fields)
  if (typeof asked === 'string') return oauthError('invalid_request', asked)
  const { keys } = await readConfig(c.env)
  const deviceCode = await mintCredential('device-code', keys.credentialMac)
  const hash = await hashCredential(deviceCode)
  const address = (clientAddress(c.req.raw) ?? 'unknown').slice(0, MAX_ADDRESS)
  const db = database(c.env)
  for (let tries = 1; tries <= USER_CODE_TRIES; tries++) {
    const userCode = newUserCode()
    const mac = await userCodeMac(readUserCode(userCode) ?? '', keys.userCodeMac)
    if (!(await createDeviceGrant(db, { ...asked, hash, userCodeMac: mac, address }, Date.now()))) continue
    const verificationUri = new URL(c.req.url).origin + DEVICE_VERIFICATION_PATH
    return oauthAnswer({
      device_code: deviceCode,
      user_code: userCode,
      verification_uri: verificationUri,
      verification_uri_complete: `${verificationUri}?user_code=${userCode}`,
      expires_in: DEVICE_GRANT_SECONDS,
      interval: POLL_INTERVAL_SECONDS,
    })
  }
  return oauthError('temporarily_unavailable', 'No code could be made. Try again.', {
    status: 503,
    headers: { 'retry-after': '1' },
  })
}

/** `POST /oauth/token` (RFC 8628 §3.4): the Host asks whether it was let in. The access token is an enrolment token. */
export async function issueToken(c: AppContext): Promise<Response> {
  const fields = await readClientForm(c)
  if (fields instanceof Response) return fields
  const grantType = fields.get('grant_type')
  if (grantType === undefined) return oauthError('invalid_request', 'grant_type is missing.')
  if (grantType !== DEVICE_CODE_GRANT_TYPE)
    return oauthError('unsupported_grant_type', `The only grant_type here is ${DEVICE_CODE_GRANT_TYPE}.`)
  const deviceCode = fields.get('device_code')
  if (deviceCode === undefined) return oauthError('invalid_request', 'device_code is missing.')
  const { keys } = await readConfig(c.env)
  const hash = await checkCredential('device-code', deviceCode, keys.credentialMac)
  if (hash === undefined) return pollError('invalid_grant')
  const token = await mintCredential('enrolment-token', keys.credentialMac)
  const result = await pollDeviceGrant(database(c.env), hash, await hashCredential(token), Date.now())
  if (result !== 'redeemed') return pollError(result)
  return oauthAnswer({
    access_token: token,
    token_type: 'Bearer',
    expires_in: GRANTED_ENROLMENT_SECONDS,
    scope: HOST_ENROLMENT_SCOPE,
  })
}

function pollError(code: Exclude<PollResult, 'redeemed'>): Response {
  return oauthError(code, POLL_ERRORS[code])
}

/** The fields of a request by the one client there is, or what it is answered instead. */
async function readClientForm(c: AppContext): Promise<Fields | Response> {
  if (c.req.header('authorization') !== undefined) {
    // RFC 6749 §5.2: who tried to authenticate by this header is told with which scheme.
    const headers = { 'www-authenticate': 'Basic realm="DAISI"' }
    return oauthError('invalid_client', 'This client has no secret. Send client_id in the body only.', {
      headers,
    })
  }
  const form: Form = await readForm(c.req.raw)
  if (!form.ok) return oauthError('invalid_request', form.message)
  const clientId = form.fields.get('client_id')
  if (clientId === undefined) return oauthError('invalid_request', 'client_id is missing.')
  if (clientId !== HOST_CLIENT_ID)
    return oauthError('invalid_client', `The only client here is ${HOST_CLIENT_ID}.`)
  return form.fields
}

/** Who asks for which Network, or what is wrong with the request. */
async function readAsked(
  fields: Fields,
): Promise<Pick<GrantRequest, 'hostId' | 'hostName' | 'network'> | string> {
  const host = hostId.safeParse(fields.get('host_id'))
  if (!host.success) return 'host_id must be the RFC 7638 thumbprint of the key of the Host.'
  const network = networkName.safeParse(fields.get('network') ?? PUBLIC_NETWORK)
  if (!network.success) return 'network must be the name of a Network.'
  const hostName = fields.get('host_name') ?? (await hostAlias(host.data))
  if (hostName.length > MAX_NAME || !PRINTABLE.test(hostName))
    return `host_name must have 1 to ${MAX_NAME} printable characters, without spaces at its ends.`
  return { hostId: host.data, hostName, network: network.data }
}
