import {
  ACKNOWLEDGEMENT_TYPE,
  type DirectGrant,
  type DirectOffer,
  type JobUsage,
  type Session,
} from '@daisi/protocol'
import { SignJWT } from 'jose'
import { newId } from '../../src/domain/ids.ts'
import { call, newAccount, newEnrolment, newKey } from './orc.ts'
import { type HostKeys, newHost, newHostKeys } from './test-host.ts'

/** What a Job over a Direct Connection used. */
export const USED: JobUsage = { promptTokens: 10, cachedTokens: 2, generatedTokens: 30 }

let scenes = 0

/** A Consumer with a key, an owner whose Host offers Direct Connections, and the Consumer's own key pair. */
export async function newDirectScene(
  direct: DirectOffer = { endpoint: 'https://192.0.2.7:8790', certificateSha256: 'b'.repeat(64) },
) {
  const model = `direct-${++scenes}`
  const [consumer, owner] = [await newAccount('consumer'), await newAccount('owner')]
  const [key, enrolment] = [await newKey(consumer), await newEnrolment(owner)]
  const host = await newHost(enrolment.token, { model, direct })
  return { consumer, key, owner, model, host, bound: await newHostKeys() }
}
export type DirectScene = Awaited<ReturnType<typeof newDirectScene>>

/** `POST /v1/sessions` for a Direct Connection. */
export function openDirect(
  { key, model, bound }: Pick<DirectScene, 'key' | 'model' | 'bound'>,
  body: Record<string, unknown> = {},
  budget = 1_000,
  headers: Record<string, string> = {},
): Promise<Response> {
  const direct = { model, key: bound.publicJwk, budget }
  return call('POST', '/v1/sessions', { token: key.key, body: { mode: 'direct', direct, ...body }, headers })
}

/** The same, which must succeed. */
export async function openedDirect(
  scene: DirectScene,
  body: Record<string, unknown> = {},
): Promise<{ session: Session; grant: DirectGrant }> {
  const response = await openDirect(scene, body)
  if (response.status !== 201) throw new Error(`${response.status} ${await response.text()}`)
  const session = await response.json<Session>()
  if (session.direct === undefined) throw new Error('no grant')
  return { session, grant: session.direct }
}

/** What a Consumer signs; `overrides` make it wrong. */
export function acknowledge(
  grant: DirectGrant,
  bound: HostKeys,
  jobId: string,
  usage: JobUsage,
  overrides: { sid?: string; aud?: string; typ?: string; jobId?: string } = {},
): Promise<string> {
  const { sid = grant.session_id, aud = grant.host_id, typ = ACKNOWLEDGEMENT_TYPE } = overrides
  return new SignJWT({ sid, jobId: overrides.jobId ?? jobId, ...usage })
    .setProtectedHeader({ alg: 'EdDSA', typ, jwk: bound.publicJwk })
    .setAudience(aud)
    .setIssuedAt()
    .sign(bound.privateKey)
}

/** The Host reports a Job and hears that it is noted. What is left out is as it should be. */
export async function report(
  { host, bound }: Pick<DirectScene, 'host' | 'bound'>,
  grant: DirectGrant,
  parts: {
    jobId?: string
    usage?: JobUsage
    acknowledgement?: string
    receipt?: string
    sessionToken?: string
  } = {},
): Promise<string> {
  const { jobId = newId('job'), usage = USED, sessionToken = grant.token } = parts
  const {
    acknowledgement = await acknowledge(grant, bound, jobId, usage),
    receipt = await host.receipt({ jobId, sessionToken: grant.token }, usage),
  } = parts
  host.send({ type: 'direct-report', jobId, sessionToken, acknowledgement, receipt })
  const noted = await host.receive('direct-noted')
  if (!noted.jobIds.includes(jobId)) throw new Error('another Job was noted')
  return jobId
}
