import {
  type PasskeyList,
  type PasskeyOptions,
  type PasskeyView,
  passkeyLoginRequest,
  passkeyRequest,
} from '@daisi/protocol'
import { readConfig } from '../config.ts'
import { database } from '../db/client.ts'
import { type FlowKind, type UsedFlow, beginFlow, useFlow } from '../db/login-flows.ts'
import {
  type Passkey,
  addPasskey,
  findPasskey,
  listPasskeys,
  notePasskeyUse,
  removePasskey,
} from '../db/passkeys.ts'
import { checkCredential, hashCredential, mintCredential } from '../domain/credential.ts'
import { epochSeconds } from '../domain/time.ts'
import type { AppContext } from '../http/context.ts'
import { requireSameOrigin } from '../http/csrf.ts'
import { ApiError } from '../http/errors.ts'
import { requireFreshLogin } from '../http/fresh-login.ts'
import { startLogin } from '../http/login-cookie.ts'
import { readJson } from '../http/read-json.ts'
import type * as webauthn from '../passkeys/webauthn.ts'

/** How long somebody may take to touch the key, find the phone, or remember the PIN. */
const PATIENCE_MS = 5 * 60_000

/** `POST /api/me/passkeys/options`: what the browser needs to make a passkey for the caller. */
export async function postPasskeyOptions(c: AppContext): Promise<Response> {
  requireFreshLogin(c)
  const { userId, email, name } = c.var.person
  const [library, { name: rpName }] = await Promise.all([loadWebauthn(), readConfig(c.env)])
  const existing = await listPasskeys(database(c.env), userId)
  const owner = { userId, label: email ?? name, existing }
  const options = await library.registrationOptions(siteOf(c), rpName, owner, PATIENCE_MS)
  return answerOptions(c, { kind: 'passkey-registration', userId }, options)
}

/** `POST /api/me/passkeys`: keeps the passkey that the browser made. */
export async function postPasskey(c: AppContext): Promise<Response> {
  requireFreshLogin(c, PATIENCE_MS)
  const { value } = await readJson(c.req.raw, passkeyRequest)
  const { userId } = c.var.person
  const flow = await takeFlow(c, 'passkey-registration', value.flow)
  if (flow?.userId !== userId) {
    const message = 'This took too long, or was answered already. Ask for new options and try again.'
    throw new ApiError({ code: 'invalid_request', message, param: 'flow' })
  }
  const library = await loadWebauthn()
  const made = await library.verifyRegistration(siteOf(c), flow.secret, value.credential)
  if (made === undefined) {
    const message =
      'The passkey could not be verified. Make it on a page of this Orc, and let the device check that it is you.'
    throw new ApiError({ code: 'invalid_request', message, param: 'credential' })
  }
  const passkey = { ...made, userId, name: value.name, createdAt: Date.now() }
  const outcome = await addPasskey(database(c.env), passkey)
  if (outcome === 'taken')
    throw new ApiError({
      code: 'conflict',
      message: 'This passkey is known here already. Log in with it, or make another.',
    })
  if (outcome === 'too_many')
    throw new ApiError({
      code: 'conflict',
      message: 'There are as many passkeys as anybody may have. Remove one first.',
    })
  return c.json(view({ ...passkey, lastUsedAt: null }) satisfies PasskeyView, 201)
}

/** `GET /api/me/passkeys`. */
export async function getPasskeys(c: AppContext): Promise<Response> {
  const own = await listPasskeys(database(c.env), c.var.person.userId)
  return c.json({ passkeys: own.map(view) } satisfies PasskeyList)
}

/** `DELETE /api/me/passkeys/:passkey`: whoever has it cannot log in with it any more. */
export async function deletePasskey(c: AppContext): Promise<Response> {
  requireFreshLogin(c)
  const removed = await removePasskey(database(c.env), c.var.person.userId, c.req.param('passkey') ?? '')
  if (removed) return c.body(null, 204)
  const message = 'You have no such passkey. GET /api/me/passkeys lists them.'
  throw new ApiError({ code: 'not_found', message })
}

/** `POST /api/login/passkey/options`: names nobody, so that nobody learns who has a passkey. */
export async function postPasskeyLoginOptions(c: AppContext): Promise<Response> {
  requireSameOrigin(c)
  const library = await loadWebauthn()
  return answerOptions(c, { kind: 'passkey' }, await library.loginOptions(siteOf(c), PATIENCE_MS))
}

/** `POST /api/login/passkey`: logs in whoever the passkey belongs to. One answer to everything that is wrong. */
export async function postPasskeyLogin(c: AppContext): Promise<Response> {
  requireSameOrigin(c)
  const { value } = await readJson(c.req.raw, passkeyLoginRequest)
  const flow = await takeFlow(c, 'passkey', value.flow)
  const db = database(c.env)
  const [library, passkey] = await Promise.all([loadWebauthn(), findPasskey(db, value.credential.id)])
  if (flow === undefined || passkey === undefined) throw loginFailed()
  const counter = await library.verifyLogin(siteOf(c), flow.secret, passkey, value.credential)
  if (counter === undefined || !(await notePasskeyUse(db, passkey, counter, Date.now()))) throw loginFailed()
  await startLogin(c, passkey.userId)
  return c.body(null, 204)
}

async function answerOptions(
  c: AppContext,
  flow: { readonly kind: FlowKind; readonly userId?: string },
  options: { readonly challenge: string },
): Promise<Response> {
  const { keys } = await readConfig(c.env)
  const token = await mintCredential('login-flow', keys.credentialMac)
  const now = Date.now()
  const secret = options.challenge
  await beginFlow(
    database(c.env),
    { ...flow, secret, hash: await hashCredential(token), expiresAt: now + PATIENCE_MS },
    now,
  )
  const answer = { flow: token, options: { ...options } } satisfies PasskeyOptions
  return c.json(answer, 200, { 'cache-control': 'no-store' })
}

/** The challenge that an answer belongs to, which is used up with this. */
async function takeFlow(c: AppContext, kind: FlowKind, token: string): Promise<UsedFlow | undefined> {
  const { keys } = await readConfig(c.env)
  const hash = await checkCredential('login-flow', token, keys.credentialMac)
  return hash === undefined ? undefined : useFlow(database(c.env), hash, kind, Date.now())
}

/** Browsers bind a passkey to the host that they see, so that one made here is of no use to a page anywhere else. */
function siteOf(c: AppContext): webauthn.PasskeySite {
  const { origin, hostname } = new URL(c.req.url)
  return { origin, rpId: hostname }
}

// On first use: evaluating it takes as long as starting the rest of the Worker.
function loadWebauthn(): Promise<typeof webauthn> {
  return import('../passkeys/webauthn.ts')
}

function view({ id, name, createdAt, lastUsedAt }: Passkey): PasskeyView {
  return {
    id,
    name,
    created_at: epochSeconds(createdAt),
    last_used_at: lastUsedAt === null ? null : epochSeconds(lastUsedAt),
  }
}

function loginFailed(): ApiError {
  const message =
    'This passkey does not log you in here, or it took too long. Try again, or take another way.'
  return new ApiError({ code: 'login_failed', message })
}
