import * as z from 'zod'
import { type GithubPerson, githubEmails, githubPerson, githubUser } from '../domain/github-person.ts'
import type { GithubSettings } from './settings.ts'

/** How long GitHub may take for all that one login asks of it. */
const PATIENCE_MS = 10_000

/** GitHub answers 200 to a refused code as well, with `error` in place of the token (RFC 6749 §5.2). */
const tokenAnswer = z.union([
  z.object({ access_token: z.string().min(1), token_type: z.string() }),
  z.object({ error: z.string() }),
])

/** What the browser came back with, and what this Orc kept for it. */
export interface AuthorizationCode {
  readonly code: string
  readonly codeVerifier: string
  readonly redirectUri: string
}

/** `refused`: the code is not good. `unavailable`: GitHub did not answer, or not in a way that can be trusted. */
export type GithubAnswer =
  | { readonly ok: true; readonly person: GithubPerson }
  | { readonly ok: false; readonly reason: 'refused' | 'unavailable' }

/** Exchanges the code (RFC 6749 §4.1.3, RFC 7636 §4.5) and asks who it belongs to. The token is forgotten with the call. */
export async function askGithub(
  settings: GithubSettings,
  grant: AuthorizationCode,
  log: (event: string, fields: Readonly<Record<string, unknown>>) => void,
): Promise<GithubAnswer> {
  const signal = AbortSignal.timeout(PATIENCE_MS)
  try {
    const token = await exchange(settings, grant, signal)
    if (token === undefined) return { ok: false, reason: 'refused' }
    const [user, emails] = await Promise.all([
      readApi(`${settings.apiUrl}/user`, token, githubUser, signal),
      readApi(`${settings.apiUrl}/user/emails`, token, githubEmails, signal),
    ])
    return { ok: true, person: githubPerson(user, emails) }
  } catch (error) {
    // The step and the status only: neither code nor token stands in any message.
    log('github_unavailable', { reason: error instanceof GithubFault ? error.message : 'unreachable' })
    return { ok: false, reason: 'unavailable' }
  }
}

/** An answer that is not one. Its message holds a step and a status. */
class GithubFault extends Error {}

async function exchange(
  settings: GithubSettings,
  grant: AuthorizationCode,
  signal: AbortSignal,
): Promise<string | undefined> {
  const body = new URLSearchParams({
    grant_type: 'authorization_code',
    client_id: settings.clientId,
    client_secret: settings.clientSecret,
    code: grant.code,
    redirect_uri: grant.redirectUri,
    code_verifier: grant.codeVerifier,
  })
  const headers = { accept: 'application/json', 'user-agent': 'daisi-orc' }
  const request = { method: 'POST', headers, body, signal, redirect: 'manual' } as const
  const response = await fetch(`${settings.url}/login/oauth/access_token`, request)
  const answer = await parsed('access_token', response, tokenAnswer)
  return 'access_token' in answer ? answer.access_token : undefined
}

async function readApi<Value>(
  url: string,
  token: string,
  schema: z.ZodType<Value>,
  signal: AbortSignal,
): Promise<Value> {
  const headers = {
    accept: 'application/vnd.github+json',
    authorization: `Bearer ${token}`,
    'user-agent': 'daisi-orc',
    'x-github-api-version': '2022-11-28',
  }
  // A redirect would carry the token elsewhere: it is an answer like any other, and the wrong one.
  return parsed(new URL(url).pathname, await fetch(url, { headers, signal, redirect: 'manual' }), schema)
}

async function parsed<Value>(step: string, response: Response, schema: z.ZodType<Value>): Promise<Value> {
  if (response.status !== 200) {
    await response.body?.cancel()
    throw new GithubFault(`${step} answered ${response.status}`)
  }
  const text = await response.text()
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new GithubFault(`${step} did not answer JSON`)
  }
  const result = schema.safeParse(value)
  if (!result.success) throw new GithubFault(`${step} answered an unknown shape`)
  return result.data
}
