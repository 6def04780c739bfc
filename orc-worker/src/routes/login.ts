import { type EmailLoginBegun, emailLoginAnswer, emailLoginRequest } from '@daisi/protocol'
import { type Config, readConfig } from '../config.ts'
import { database } from '../db/client.ts'
import { admitPerson, mayComeIn } from '../db/login-admission.ts'
import { answerFlow, beginFlow } from '../db/login-flows.ts'
import { checkCredential, hashCredential, mintCredential } from '../domain/credential.ts'
import { loginAsker } from '../domain/login-asker.ts'
import { LOGIN_CODE_SECONDS, loginCodeMac, newLoginCode } from '../domain/login-code.ts'
import { type EmailSender, emailSender } from '../email/email-sender.ts'
import type { AppContext } from '../http/context.ts'
import { requireSameOrigin } from '../http/csrf.ts'
import { ApiError } from '../http/errors.ts'
import { endLogin, startLogin } from '../http/login-cookie.ts'
import { callerAddress } from '../http/rate-limit.ts'
import { readJson } from '../http/read-json.ts'
import { logRequest } from '../http/log-request.ts'

/** Who may come in is looked up this long after the answer, which must not wait for any of it, not even for a processor. */
const LOOK_AFTER_MS = 20

/**
 * `POST /api/login/email`: sends a code to who may come in. The answer, and all that is done before it, is the same for
 * everybody, so that nobody learns who is known here; who may come in is looked up once it has left.
 */
export async function postEmailLogin(c: AppContext): Promise<Response> {
  requireSameOrigin(c)
  const { email } = (await readJson(c.req.raw, emailLoginRequest)).value
  return c.json((await beginEmailLogin(c, email)) satisfies EmailLoginBegun)
}

/** The same for the page. */
export async function beginEmailLogin(c: AppContext, email: string): Promise<EmailLoginBegun> {
  const { config, sender } = await emailLogin(c)
  const flow = await mintCredential('login-flow', config.keys.credentialMac)
  const code = newLoginCode()
  const asker = await loginAsker(callerAddress(c).id, email, config.keys.loginAskerMac)
  const now = Date.now()
  const begun = await beginFlow(
    database(c.env),
    {
      hash: await hashCredential(flow),
      kind: 'email',
      secret: await loginCodeMac(flow, code, config.keys.loginCodeMac),
      sentTo: { email, asker },
      expiresAt: now + LOGIN_CODE_SECONDS * 1000,
    },
    now,
  )
  if (begun) c.executionCtx.waitUntil(send(c, { config, sender, email, code }))
  return { flow, expires_in: LOGIN_CODE_SECONDS }
}

/** `POST /api/login/email/verify`: logs this browser in. One answer to everything that is wrong. */
export async function postEmailLoginAnswer(c: AppContext): Promise<Response> {
  requireSameOrigin(c)
  const { flow, code } = (await readJson(c.req.raw, emailLoginAnswer)).value
  await finishEmailLogin(c, flow, code)
  return c.body(null, 204)
}

/** The same for the page. Throws `login_failed`. */
export async function finishEmailLogin(c: AppContext, flow: string, code: string): Promise<void> {
  const { config } = await emailLogin(c)
  const [hash, secret] = await Promise.all([
    checkCredential('login-flow', flow, config.keys.credentialMac),
    loginCodeMac(flow, code, config.keys.loginCodeMac),
  ])
  const db = database(c.env)
  const now = Date.now()
  const answered = hash === undefined ? undefined : await answerFlow(db, { hash, kind: 'email', secret }, now)
  const email = answered?.email ?? undefined
  if (email === undefined) throw loginFailed()
  const name = email.slice(0, email.indexOf('@'))
  const admission = await admitPerson(db, { email, name }, config, now)
  if (!admission.ok) throw loginFailed()
  await startLogin(c, admission.userId)
}

/** `POST /api/logout`: ends this browser's login session. */
export async function postLogout(c: AppContext): Promise<Response> {
  await endLogin(c)
  return c.body(null, 204)
}

async function emailLogin(c: AppContext): Promise<{ config: Config; sender: EmailSender }> {
  const config = await readConfig(c.env)
  const sender = emailSender(config.email)
  if (sender !== undefined) return { config, sender }
  throw new ApiError({
    code: 'login_not_configured',
    message: 'This Orc has no login by e-mail. /login shows the ways in.',
  })
}

async function send(
  c: AppContext,
  { config, sender, email, code }: { config: Config; sender: EmailSender; email: string; code: string },
): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, LOOK_AFTER_MS))
  if (!(await mayComeIn(database(c.env), email, config, Date.now()))) return
  const sent = await sender.sendLoginCode({
    email,
    code,
    expiresInSeconds: LOGIN_CODE_SECONDS,
    orcName: config.name,
  })
  if (!sent.ok) logRequest(c, 'login_code_not_sent', { reason: sent.reason })
}

function loginFailed(): ApiError {
  const message = 'This code does not log you in here, or it took too long. Ask for another one.'
  return new ApiError({ code: 'login_failed', message })
}
