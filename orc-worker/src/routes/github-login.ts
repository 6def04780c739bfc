import { type Config, readConfig } from '../config.ts'
import { database } from '../db/client.ts'
import { admitPerson } from '../db/login-admission.ts'
import { beginFlow, useFlow } from '../db/login-flows.ts'
import { checkCredential, hashCredential, mintCredential } from '../domain/credential.ts'
import { GITHUB_CALLBACK_PATH, authorizationUrl, isState, stateOf } from '../domain/github-authorization.ts'
import { codeChallenge, newCodeVerifier } from '../domain/pkce.ts'
import { loginPath, returnPath } from '../domain/return-path.ts'
import { keepBegunLogin, takeBegunLogin } from '../github/begun-login.ts'
import { askGithub } from '../github/client.ts'
import type { GithubSettings } from '../github/settings.ts'
import type { AppContext } from '../http/context.ts'
import { ApiError } from '../http/errors.ts'
import { logRequest } from '../http/log-request.ts'
import { startLogin } from '../http/login-cookie.ts'
import { redirectTo } from '../http/redirect.ts'
import { problemPage } from '../pages/problem-page.ts'

/** How long somebody may take at GitHub. */
const PATIENCE_MS = 10 * 60_000

/** `GET /login/github`: sends the browser to GitHub, by the authorization code grant with PKCE (RFC 6749 §4.1, RFC 7636). */
export async function beginGithubLogin(c: AppContext): Promise<Response> {
  const { config, settings } = await githubLogin(c)
  const flowToken = await mintCredential('login-flow', config.keys.credentialMac)
  const codeVerifier = newCodeVerifier()
  const now = Date.now()
  const hash = await hashCredential(flowToken)
  const flow = { hash, kind: 'github', secret: codeVerifier, expiresAt: now + PATIENCE_MS } as const
  await beginFlow(database(c.env), flow, now)
  keepBegunLogin(c, { flowToken, next: returnPath(c.req.query('return_to')) }, PATIENCE_MS)
  return redirectTo(
    authorizationUrl({
      githubUrl: settings.url,
      clientId: settings.clientId,
      ownOrigin: new URL(c.req.url).origin,
      state: await stateOf(flowToken),
      codeChallenge: await codeChallenge(codeVerifier),
    }),
  )
}

/** `GET /login/github/callback`: the browser comes back with a code (RFC 6749 §4.1.2), or with what went wrong. */
export async function finishGithubLogin(c: AppContext): Promise<Response> {
  const { config, settings } = await githubLogin(c)
  const begun = takeBegunLogin(c)
  const given = c.req.query('state') ?? ''
  // Without the cookie of the browser that began it, nothing is touched: neither the flow nor the code (RFC 9700 §4.7).
  if (begun === undefined || !isState(given, await stateOf(begun.flowToken))) return notBegunHere(c)
  const db = database(c.env)
  const hash = await checkCredential('login-flow', begun.flowToken, config.keys.credentialMac)
  const flow = hash === undefined ? undefined : await useFlow(db, hash, 'github', Date.now())
  if (flow === undefined) return notBegunHere(c)
  const again = loginPath(begun.next)
  const code = c.req.query('code')
  if (c.req.query('error') !== undefined || code === undefined) {
    return problemPage(c, {
      status: 403,
      message: 'GitHub did not log you in. Try again, or take another way.',
      again,
    })
  }
  const redirectUri = new URL(c.req.url).origin + GITHUB_CALLBACK_PATH
  const grant = { code, codeVerifier: flow.secret, redirectUri }
  const answer = await askGithub(settings, grant, (event, fields) => logRequest(c, event, fields))
  if (!answer.ok) {
    return answer.reason === 'refused'
      ? problemPage(c, { status: 403, message: 'GitHub did not accept this login. Try again.', again })
      : problemPage(c, {
          status: 502,
          message: 'GitHub cannot be reached at the moment. Try again later.',
          again,
        })
  }
  const { githubId, name, verifiedEmail } = answer.person
  const identity = { githubId, name, email: verifiedEmail ?? null }
  const admission = await admitPerson(db, identity, config, Date.now())
  if (!admission.ok) {
    const message =
      'This Orc lets in only people who are invited, by the address that GitHub has verified as their primary one. Ask for an invitation.'
    return problemPage(c, { status: 403, message, again })
  }
  await startLogin(c, admission.userId)
  return redirectTo(begun.next)
}

function notBegunHere(c: AppContext): Promise<Response> {
  const message = 'This login was not begun in this browser, is used already, or took too long. Begin again.'
  return problemPage(c, { status: 400, message, again: loginPath(returnPath(undefined)) })
}

async function githubLogin(c: AppContext): Promise<{ config: Config; settings: GithubSettings }> {
  const config = await readConfig(c.env)
  if (config.github !== undefined) return { config, settings: config.github }
  const message = 'This Orc has no login by GitHub. /login shows the ways in.'
  throw new ApiError({ code: 'login_not_configured', message })
}
