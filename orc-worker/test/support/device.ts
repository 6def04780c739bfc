import { env, exports } from 'cloudflare:workers'
import { DEVICE_AUTHORIZATION_PATH, DEVICE_CODE_GRANT_TYPE, OAUTH_TOKEN_PATH } from '@daisi/protocol'
import { newHostKeys } from './test-host.ts'

/** What a Host is answered when it asks to be let in. */
export interface AskedGrant {
  readonly device_code: string
  readonly user_code: string
  readonly verification_uri: string
  readonly verification_uri_complete: string
  readonly expires_in: number
  readonly interval: number
}

/** Sends a form, as a Host does. */
export function postForm(
  path: string,
  fields: Record<string, string> | string,
  headers: Record<string, string> = {},
): Promise<Response> {
  return exports.default.fetch(`https://orc.test${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body: typeof fields === 'string' ? fields : new URLSearchParams(fields).toString(),
  })
}

/** A grant that waits for its owner. */
export async function newGrant(
  fields: Record<string, string> = {},
  address = '192.0.2.1',
): Promise<AskedGrant & { hostId: string }> {
  const hostId = fields['host_id'] ?? (await newHostKeys()).id
  const all = { client_id: 'daisi-host', host_id: hostId, ...fields }
  const response = await postForm(DEVICE_AUTHORIZATION_PATH, all, { 'cf-connecting-ip': address })
  if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`)
  return { ...(await response.json<AskedGrant>()), hostId }
}

/** One poll. */
export function poll(deviceCode: string): Promise<Response> {
  return postForm(OAUTH_TOKEN_PATH, {
    client_id: 'daisi-host',
    grant_type: DEVICE_CODE_GRANT_TYPE,
    device_code: deviceCode,
  })
}

/** The status and the error code of an answer in OAuth's form. */
export async function oauthError(response: Response): Promise<[number, string]> {
  const body = await response.json<{ error: string; error_description: string }>()
  if (body.error_description.length === 0) throw new Error('an error says what to do next')
  return [response.status, body.error]
}

/** Lets time pass for every grant. */
export async function age(seconds: number): Promise<void> {
  await env.DB.prepare(
    'UPDATE device_grants SET polled_at = polled_at - ?1, created_at = created_at - ?1, expires_at = expires_at - ?1',
  )
    .bind(seconds * 1000)
    .run()
}
