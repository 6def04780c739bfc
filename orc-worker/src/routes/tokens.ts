import {
  type BrowserToken,
  type BrowserTokenRequest,
  type BrowserTokenScope,
  browserTokenRequest,
} from '@daisi/protocol'
import { hashCredential, mintCredential } from '../domain/credential.ts'
import type { AppContext } from '../http/context.ts'
import { ApiError } from '../http/errors.ts'
import { openSession } from '../http/open-session.ts'
import { readJson } from '../http/read-json.ts'
import { MODEL_NOT_ALLOWED, NETWORK_NOT_ALLOWED, refusal } from '../objects/session/refusals.ts'
import type { SessionFailure, SessionRecord } from '../objects/session/types.ts'
import { tokenSessionName } from '../objects/stubs.ts'

const DEFAULT_TTL_SECONDS = 900

/** `POST /v1/tokens` (rule B4): a token for a browser, in the answer and nowhere else. It is a Session that whoever has it is in. */
export async function postToken(c: AppContext): Promise<Response> {
  const { value: body } = await readJson(c.req.raw, browserTokenRequest)
  const token = await mintCredential('browser-token', c.var.consumer.config.keys.credentialMac)
  const keyHash = await hashCredential(token)
  const session = {
    name: tokenSessionName(keyHash),
    network: c.var.consumer.caller.network,
    expiresAt: Date.now() + (body.ttl_seconds ?? DEFAULT_TTL_SECONDS) * 1000,
  }
  const own = {
    // The id does not give the token away.
    sessionId: `ses_${await hashCredential(`token\n${keyHash}`)}`,
    keyHash,
    origins: body.origins,
    budget: body.budget ?? null,
  }
  const scopes = body.scopes ?? ['inference']
  const record = await openSession(c, session, (allowed) => {
    const refused = refuse(body, scopes, allowed)
    if (refused !== undefined) throw new ApiError(refused)
    const networks = allowed.networks.filter(({ name }) => body.networks?.includes(name) ?? true)
    return { ...allowed, ...own, scopes, networks, models: body.models ?? allowed.models }
  })
  return c.json(
    {
      object: 'browser_token',
      token,
      expires_at: Math.floor((record.expiresAt ?? session.expiresAt) / 1000),
      origins: record.origins,
      scopes,
      networks: record.networks.map(({ name }) => name),
      models: record.models,
      budget: record.budget,
    } satisfies BrowserToken,
    201,
  )
}

/** Why a token that may do this much cannot be minted: it may do no more than its key. */
function refuse(
  { networks, models }: BrowserTokenRequest,
  scopes: readonly BrowserTokenScope[],
  allowed: SessionRecord,
): SessionFailure | undefined {
  const missing = scopes.find((scope) => !allowed.scopes.includes(scope))
  if (missing !== undefined)
    return refusal('insufficient_scope', `This key lacks the scope ${missing}. Create a key that has it.`)
  if (networks?.some((name) => !allowed.networks.some((network) => network.name === name)) === true)
    return NETWORK_NOT_ALLOWED
  if (models?.some((model) => allowed.models?.includes(model) === false) === true) return MODEL_NOT_ALLOWED
  return undefined
}
