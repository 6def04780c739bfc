import { type Session, type UsageTotals, directRequest, sessionRequest } from '@daisi/protocol'
import { mintCredential } from '../domain/credential.ts'
import { epochSeconds } from '../domain/time.ts'
import type { AppContext } from '../http/context.ts'
import { ApiError } from '../http/errors.ts'
import { openSession } from '../http/open-session.ts'
import { readJson } from '../http/read-json.ts'
import type { SessionRecord } from '../objects/session/types.ts'
import { openedSessionName, sessionStub } from '../objects/stubs.ts'
import { openDirect } from '../relay/direct.ts'

const DEFAULT_TTL_SECONDS = 3_600
const NO_USAGE: UsageTotals = { jobs: 0, prompt_tokens: 0, cached_tokens: 0, generated_tokens: 0, credits: 0 }

/** `POST /v1/sessions` (rule S1). */
export async function createSession(c: AppContext): Promise<Response> {
  const { caller, config } = c.var.consumer
  const { value: body } = await readJson(c.req.raw, sessionRequest)
  const { mode = 'orchestrated', direct } = body
  if ((mode === 'direct') !== (direct !== undefined)) {
    const message = 'A direct Session needs `direct` with model and key, and only a direct one takes it.'
    throw new ApiError({ code: 'invalid_request', message, param: 'direct' })
  }
  const network = body.network ?? caller.network
  if (caller.network !== undefined && network !== caller.network) {
    const message = 'Daisi-Network and the body name different Networks. Name one.'
    throw new ApiError({ code: 'invalid_request', message, param: 'network' })
  }
  const sessionId = await mintCredential('session-id', config.keys.credentialMac)
  const expiresAt = Date.now() + (body.ttl_seconds ?? DEFAULT_TTL_SECONDS) * 1000
  const own = { sessionId, mode, budget: body.budget ?? null }
  const sessionName = openedSessionName(sessionId)
  const session = { name: sessionName, expiresAt, terms: {} }
  const record = await openSession(c, session, network, (allowed) => ({ ...allowed, ...own }))
  const view = sessionView(record, NO_USAGE)
  if (direct === undefined) return c.json(view, 201)
  try {
    const grant = await openDirect(direct, { caller, sessionName }, c.env, config)
    return c.json({ ...view, direct: grant } satisfies Session, 201)
  } catch (error) {
    // Nobody learns of this Session, so nobody else would close it.
    await sessionStub(c.env, sessionName).close(caller)
    throw error
  }
}

/** `POST /v1/sessions/:session/direct`: a further Host, or a fresh token (rule D2). */
export async function createDirectGrant(c: AppContext): Promise<Response> {
  const { caller, sessionName, config } = c.var.consumer
  const { value: body } = await readJson(c.req.raw, directRequest)
  return c.json(await openDirect(body, { caller, sessionName }, c.env, config), 201)
}

/** `GET /v1/sessions/:session`. */
export async function getSession(c: AppContext): Promise<Response> {
  const { caller, sessionName } = c.var.consumer
  const view = await sessionStub(c.env, sessionName).view(caller, 'sessions')
  if (!view.ok) throw new ApiError(view)
  return c.json(sessionView(view.record, view.totals))
}

/** `DELETE /v1/sessions/:session` (rule S2). */
export async function closeSession(c: AppContext): Promise<Response> {
  const { caller, sessionName } = c.var.consumer
  const view = await sessionStub(c.env, sessionName).close(caller)
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
    expires_at: record.expiresAt === null ? null : epochSeconds(record.expiresAt),
    usage,
  }
}
