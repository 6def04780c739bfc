import {
  DEVICE_AUTHORIZATION_PATH,
  DEVICE_CODE_GRANT_TYPE,
  DEVICE_VERIFICATION_PATH,
  HOST_CLIENT_ID,
  hostId,
  networkName,
  OAUTH_METADATA_PATH,
  OAUTH_TOKEN_PATH,
} from '@daisi/protocol'

/** What a fake Orc says to one poll. `drop` closes the connection without an answer. */
export type PollAnswer =
  | 'authorization_pending'
  | 'slow_down'
  | 'access_denied'
  | 'expired_token'
  | 'invalid_grant'
  | 'unavailable'
  | 'drop'
  | 'grant'

/** An answer over HTTP; undefined means that the connection is dropped. */
export type FakeAnswer = { readonly status: number; readonly body: unknown } | undefined

/** The authorization server of a fake Orc (RFC 8414, RFC 8628), strict about what it is asked. */
export class FakeDeviceLogin {
  /** The answers to the polls, in order. */
  answers: PollAnswer[] = ['grant']
  /** Changes to the metadata and to the answer of the device authorization. */
  metadata: Record<string, unknown> = {}
  grant: Record<string, unknown> = {}
  /** The error of the device authorization, if it is to fail. */
  refusal: { readonly status: number; readonly error: string } | undefined
  /** The facts that the owner is shown. */
  request: Record<string, string> | undefined
  readonly token = 'daisi_et_from_login'
  readonly #deviceCode = 'device-code-of-the-fake-orc'

  /** Undefined for a path that is not one of these. */
  route(path: string, origin: string, type: string | undefined, body: string): FakeAnswer | 'elsewhere' {
    switch (path) {
      case OAUTH_METADATA_PATH:
        return {
          status: 200,
          body: {
            issuer: origin,
            device_authorization_endpoint: origin + DEVICE_AUTHORIZATION_PATH,
            token_endpoint: origin + OAUTH_TOKEN_PATH,
            response_types_supported: [],
            grant_types_supported: [DEVICE_CODE_GRANT_TYPE],
            token_endpoint_auth_methods_supported: ['none'],
            ...this.metadata,
          },
        }
      case DEVICE_AUTHORIZATION_PATH:
        return this.#authorize(origin, readForm(type, body))
      case OAUTH_TOKEN_PATH:
        return this.#poll(readForm(type, body))
      default:
        return 'elsewhere'
    }
  }

  /** True if a token is this login's and the Host is the one that asked for it. */
  enrols(token: string, host: string): boolean {
    return token === this.token && this.request?.['host_id'] === host
  }

  #authorize(origin: string, form: Record<string, string> | undefined): FakeAnswer {
    if (this.refusal !== undefined)
      return { status: this.refusal.status, body: { error: this.refusal.error, error_description: 'no' } }
    const valid =
      form?.['client_id'] === HOST_CLIENT_ID &&
      hostId.safeParse(form['host_id']).success &&
      networkName.optional().safeParse(form['network']).success
    if (!valid) return { status: 400, body: { error: 'invalid_request' } }
    this.request = form
    return {
      status: 200,
      body: {
        device_code: this.#deviceCode,
        user_code: 'WDJB-MJHT',
        verification_uri: origin + DEVICE_VERIFICATION_PATH,
        verification_uri_complete: `${origin}${DEVICE_VERIFICATION_PATH}?user_code=WDJB-MJHT`,
        expires_in: 600,
        interval: 5,
        ...this.grant,
      },
    }
  }

  #poll(form: Record<string, string> | undefined): FakeAnswer {
    const valid = form?.['client_id'] === HOST_CLIENT_ID && form['device_code'] === this.#deviceCode
    if (!valid) return { status: 400, body: { error: 'invalid_request' } }
    if (form['grant_type'] !== DEVICE_CODE_GRANT_TYPE)
      return { status: 400, body: { error: 'unsupported_grant_type' } }
    const answer = this.answers.shift()
    switch (answer) {
      case 'drop':
        return undefined
      case 'unavailable':
        return { status: 503, body: { error: { message: 'later' } } }
      case 'grant':
        return {
          status: 200,
          body: { access_token: this.token, token_type: 'Bearer', expires_in: 300 },
        }
      case 'authorization_pending':
      case 'slow_down':
      case 'access_denied':
      case 'expired_token':
      case 'invalid_grant':
        return { status: 400, body: { error: answer } }
      case undefined:
        return { status: 400, body: { error: 'invalid_grant' } }
    }
  }
}

/** A form (RFC 6749 appendix B). Undefined for another type, and for a parameter that comes twice (RFC 6749 §3.2). */
function readForm(type: string | undefined, body: string): Record<string, string> | undefined {
  if (type?.split(';')[0]?.trim() !== 'application/x-www-form-urlencoded') return undefined
  const parameters = new URLSearchParams(body)
  if (new Set(parameters.keys()).size !== [...parameters.keys()].length) return undefined
  return Object.fromEntries(parameters)
}
