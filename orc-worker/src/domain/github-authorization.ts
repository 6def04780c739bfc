import { base64UrlEncode } from './base64url.ts'

/** Where GitHub sends the browser back to. Fixed, so that no request can choose another place. */
export const GITHUB_CALLBACK_PATH = '/login/github/callback'

/** All that a login asks GitHub for: whose addresses these are. */
const SCOPE = 'user:email'

export interface GithubAuthorization {
  /** Where GitHub is, without a slash at the end. */
  readonly githubUrl: string
  readonly clientId: string
  readonly ownOrigin: string
  readonly state: string
  readonly codeChallenge: string
}

/** The address of the authorization request (RFC 6749 §4.1.1, RFC 7636 §4.3). */
export function authorizationUrl(authorization: GithubAuthorization): string {
  const parameters = new URLSearchParams({
    response_type: 'code',
    client_id: authorization.clientId,
    redirect_uri: authorization.ownOrigin + GITHUB_CALLBACK_PATH,
    scope: SCOPE,
    state: authorization.state,
    code_challenge: authorization.codeChallenge,
    code_challenge_method: 'S256',
  })
  return `${authorization.githubUrl}/login/oauth/authorize?${parameters.toString()}`
}

/**
 * The `state` of a login (RFC 9700 §4.7.1): a digest of the token in the browser's cookie, so that the address, which ends
 * in histories and logs, does not give the token away.
 */
export async function stateOf(flowToken: string): Promise<string> {
  const text = new TextEncoder().encode(`daisi/github-state:${flowToken}`)
  return base64UrlEncode(new Uint8Array(await crypto.subtle.digest('SHA-256', text)))
}

/** Compares a given state with the right one in a time that does not depend on where they differ. */
export function isState(given: string, expected: string): boolean {
  const encoder = new TextEncoder()
  const [a, b] = [encoder.encode(given), encoder.encode(expected)]
  return a.length === b.length && crypto.subtle.timingSafeEqual(a, b)
}
