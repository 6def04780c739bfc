import { type Session, type UsageTotals, sessionRequest } from '@daisi/protocol'
import { mintCredential } from '../domain/credential.ts'
import { invalidCredential } from '../http/access.ts'
import type { AppContext } from '../http/context.ts'
import { ApiError } from '../http/errors.ts'
import { readJson } from '../http/read-json.ts'
import type { SessionRecord } from '../objects/session/types.ts'
import { openedSessionName, plainSessionName, sessionStub } from '../objects/stubs.ts'

const DEFAULT_TTL_SECONDS = 3_600
const NO_USAGE: UsageTotals = { jobs: 0, prompt_tokens: 0, cached_tokens: 0, generated_tokens: 0, credits: 0 }

/** `POST /v1/sessions` (rule S1). */
export async function createSession(c: AppContext): Promise<Response> {
  const { keyHash, network: defaultNetwork, config } = c.var.consumer
  const { value: body } = await readJson(c.req.raw, sessionRequest)
  if (body.mode === 'direct') {
    const message = 'Direct Sessions are not served by this Orc. Use mode `orchestrated`.'
    throw new ApiError({ code: 'unsupported_parameter', message, param: 'mode' })
  }
  const network = body.network ?? defaultNetwork
  if (network !== defaultNetwork) {
    const message = `Daisi-Network and the body name different Networks, or ${JSON.stringify(network)} does not exist here.`
    throw new ApiError({ code: 'network_not_allowed', message, param: 'network' })
  }
  const key = sessionStub(c.env, plainSessionName(keyHash, network))
  const authorized = await key.authorize(keyHash, network, 'sessions')
  if (!authorized.ok) throw new ApiError(authorized)
  const sessionId = await mintCredential('session-id', config.keys.credentialMac)
  const expiresAt = Date.now() + (body.ttl_seconds ?? DEFAULT_TTL_SECONDS) * 1000
  const record: SessionRecord = { ...authorized.record, sessionId, budget: body.budget ?? null, expiresAt }
  // The key learns of the Session first: a revocation in between finds it.
  const opened =
    (await key.adopt(sessionId, expiresAt)) &&
    (await sessionStub(c.env, openedSessionName(sessionId)).open(record))
  if (!opened) throw invalidCredential()
  return c.json(sessionView(record, NO_USAGE), 201)
}

/** `GET /v1/sessions/:session`. */
export async function getSession(c: AppContext): Promise<Response> {
  const { keyHash, network, sessionName } = c.var.consumer
  const view = await sessionStub(c.env, sessionName).view(keyHash, network, 'sessions')
  if (!view.ok) throw new ApiError(view)
  return c.json(sessionView(view.record, view.totals))
}

/** `DELETE /v1/sessions/:session` (rule S2). */
export async function closeSession(c: AppContext): Promise<Response> {
  const { keyHash, sessionName } = c.var.consumer
  const view = await sessionStub(c.env, sessionName).close(keyHash)
  if (!view.ok) throw new ApiError(view)
  return c.json(sessionView(view.record, view.totals))
}

function sessionView(record: SessionRecord, usage: UsageTotals): Session {
  const expired = record.expiresAt !== null && record.expiresAt <= Date.now()
  return {
    id: record.sessionId,
    object: 'session',
    network: record.network,
    mode: record.mode,
    status: record.status === 'open' && !expired ? 'open' : 'closed',
    budget: record.budget,
    expires_at: record.expiresAt === null ? null : Math.floor(record.expiresAt / 1000),
    usage,
  }
}
