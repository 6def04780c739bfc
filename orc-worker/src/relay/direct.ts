import {
  DIRECT_REPORT_SECONDS,
  type DirectGrant,
  type DirectRequest,
  type HostPublicKey,
} from '@daisi/protocol'
import { calculateJwkThumbprint } from 'jose'
import type { Config } from '../config.ts'
import { mayBeTold } from '../domain/direct-endpoint.ts'
import { newId } from '../domain/ids.ts'
import { pairwisePseudonyms } from '../domain/pseudonym.ts'
import { TOKEN_SECONDS, signSessionToken } from '../domain/session-token.ts'
import type { Choice } from '../domain/spend-order.ts'
import { epochSeconds } from '../domain/time.ts'
import { ApiError } from '../http/errors.ts'
import type { Begun, Caller, SessionFailure, SessionRecord } from '../objects/session/types.ts'
import { hostStub, sessionStub } from '../objects/stubs.ts'
import { pickHosts } from './pick-hosts.ts'
import { noHost } from './refusals.ts'

/** Tokens that a Session token covers where the Consumer does not say. */
const DEFAULT_BUDGET = 16_384

/** Whose Session it is. */
export interface DirectCaller {
  readonly caller: Caller
  readonly sessionName: string
}

/** A token about to be given out, with the credits that are held for it. */
interface Reserved {
  readonly tokenId: string
  readonly budget: number
  readonly begun: Begun
  readonly expiresAt: number
  /** Why only Hosts of the Consumer's own account can be asked: credits are missing. */
  readonly unaffordable: SessionFailure | undefined
}

/**
 * Finds a Host that offers Direct Connections and binds a Session token to it and to the Consumer's key (rules D1, D2). Credits for all
 * that the token covers are held until the Host can report no more. Throws `ApiError`.
 */
export async function openDirect(
  { model, key, budget = DEFAULT_BUDGET }: DirectRequest,
  { caller, sessionName }: DirectCaller,
  env: Env,
  config: Config,
): Promise<DirectGrant> {
  const reserved = await reserve({ caller, sessionName, model, budget }, env)
  const { record } = reserved.begun
  const abandon = (): Promise<void> => sessionStub(env, sessionName).abandon(reserved.tokenId)
  try {
    if (record.mode !== 'direct') throw notDirect()
    const { unaffordable } = reserved
    const needed = { model, kind: 'chat', ownOnly: unaffordable !== undefined, direct: true } as const
    const picked = await pickHosts(env, record, needed)
    if (!picked.ok)
      throw unaffordable === undefined
        ? noHost(picked, { model }, record.network)
        : new ApiError(unaffordable)
    for (const choice of picked.choices) {
      const grant = await grantOn(choice, { key, caller, sessionName, reserved }, env, config)
      if (grant !== undefined) return grant
    }
    throw noHost({ reason: 'no_host_online' }, { model }, record.network)
  } catch (error) {
    await abandon()
    throw error
  }
}

function notDirect(): ApiError {
  const message = 'This Session is not a direct one. Open one with POST /v1/sessions and mode `direct`.'
  return new ApiError({ code: 'invalid_request', message, param: 'session' })
}

async function reserve(
  wanted: DirectCaller & { readonly model: string; readonly budget: number },
  env: Env,
): Promise<Reserved> {
  const { caller, sessionName, model, budget } = wanted
  const tokenId = newId('tok')
  const now = Date.now()
  const latest = now + TOKEN_SECONDS * 1000
  const heldUntil = latest + DIRECT_REPORT_SECONDS * 1000
  const begin = (ownOnly: boolean): Promise<Begun | SessionFailure> => {
    const terms = { promptTokens: 0, maxTokens: budget, idempotency: undefined, heldUntil }
    return sessionStub(env, sessionName).begin({ caller, jobId: tokenId, model, ownOnly, ...terms })
  }
  const begun = await begin(false)
  if (begun.ok)
    return { tokenId, budget, begun, expiresAt: earliest(latest, begun.record), unaffordable: undefined }
  // Nothing but credits is missing: a Host of one's own works for free.
  const free = begun.record === undefined ? begun : await begin(true)
  if (!free.ok) throw new ApiError(begun)
  return { tokenId, budget, begun: free, expiresAt: earliest(latest, free.record), unaffordable: begun }
}

/** No token outlives its Session or key: a Host asks nobody while it is good. */
function earliest(latest: number, { expiresAt, keyExpiresAt }: SessionRecord): number {
  return Math.min(latest, expiresAt ?? latest, keyExpiresAt ?? latest)
}

async function grantOn(
  { hostId, alias, network, model, sameAccount }: Choice,
  bound: DirectCaller & { readonly key: HostPublicKey; readonly reserved: Reserved },
  env: Env,
  config: Config,
): Promise<DirectGrant | undefined> {
  const { key, caller, sessionName, reserved } = bound
  const { tokenId, budget, expiresAt, begun } = reserved
  const reportsUntil = expiresAt + DIRECT_REPORT_SECONDS * 1000
  const offer = await hostStub(env, hostId).grantDirect({
    tokenId,
    sessionName,
    network,
    reportsUntil,
    model: model.id,
    modelSha256: model.sha256,
  })
  if (offer === undefined) return undefined
  const isTrusted =
    sameAccount || begun.record.networks.some(({ name, kind }) => name === network && kind === 'private')
  if (!isTrusted && !mayBeTold(offer.endpoint, caller.address)) return undefined
  if (
    !(await sessionStub(env, sessionName).addDirectToken({ id: tokenId, hostId, expiresAt: reportsUntil }))
  ) {
    await hostStub(env, hostId).revokeDirect([tokenId])
    const message = 'This Session is closed. Open a new one with POST /v1/sessions.'
    throw new ApiError({ code: 'session_closed', message })
  }
  const seenAs = await pairwisePseudonyms(begun.record.sessionId, hostId, config.keys.pseudonymMac)
  const claims = {
    iss: config.issuer,
    aud: hostId,
    sub: seenAs.consumer,
    sid: seenAs.sessionId,
    jti: tokenId,
    net: network,
    mode: 'direct' as const,
    budget,
    model: model.id,
    ...(sameAccount ? { own: true } : {}),
    cnf: { jkt: await calculateJwkThumbprint({ kty: key.kty, crv: key.crv, x: key.x }) },
  }
  return {
    object: 'direct_grant',
    host_alias: alias,
    host_id: hostId,
    endpoint: offer.endpoint,
    certificate_sha256: offer.certificateSha256 ?? null,
    token: await signSessionToken(claims, config.signing, Date.now(), expiresAt),
    session_id: seenAs.sessionId,
    model: model.id,
    budget,
    expires_at: epochSeconds(expiresAt),
  }
}
