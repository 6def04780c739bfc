import { type ChallengeResponse, type EnrolResponse, type ProofPurpose, enrolRequest } from '@daisi/protocol'
import { readConfig } from '../config.ts'
import { database } from '../db/client.ts'
import { servedNetworks } from '../db/host-networks.ts'
import { enrolHost, findHost, useEnrolment } from '../db/hosts.ts'
import { standingOn } from '../db/networks.ts'
import { hostAlias } from '../domain/alias.ts'
import { CHALLENGE_SECONDS, mintChallenge } from '../domain/challenge.ts'
import { isWithin } from '../domain/cidr.ts'
import { checkCredential } from '../domain/credential.ts'
import { type HostProof, verifyHostProof } from '../domain/host-proof.ts'
import { bearer, invalidCredential } from '../http/bearer.ts'
import { clientAddress } from '../http/client-address.ts'
import type { AppContext } from '../http/context.ts'
import { ApiError } from '../http/errors.ts'
import { readJson } from '../http/read-json.ts'
import type { HostIdentity } from '../objects/host/attachments.ts'
import { HOST_IDENTITY_HEADER, HOST_NONCE_HEADER } from '../objects/host/headers.ts'
import { hostStub } from '../objects/stubs.ts'

/** `POST /host/v1/challenge` (rule C1). */
export async function challenge(c: AppContext): Promise<Response> {
  const { keys } = await readConfig(c.env)
  const nonce = await mintChallenge(Date.now(), keys.challengeMac)
  return c.json({ nonce, expiresInSeconds: CHALLENGE_SECONDS } satisfies ChallengeResponse)
}

/** `POST /host/v1/enrol` (rule C3). */
export async function enrol(c: AppContext): Promise<Response> {
  const { value } = await readJson(c.req.raw, enrolRequest)
  const { keys } = await readConfig(c.env)
  const [hash, proof] = await Promise.all([
    checkCredential('enrolment-token', value.token, keys.credentialMac),
    readProof(c, value.proof, 'enrol'),
  ])
  if (proof === undefined) throw invalidCredential()
  const now = Date.now()
  const db = database(c.env)
  const owner = hash === undefined ? undefined : await useEnrolment(db, hash, proof.hostId, now)
  if (owner === undefined) {
    const message =
      'This enrolment token is unknown, expired or used. Issue a new one with POST /api/host-enrolments.'
    throw new ApiError({ code: 'invalid_api_key', message })
  }
  const alias = await hostAlias(proof.hostId)
  // What the account may do on the Network may have changed since the token was made.
  const status = await standingOn(db, owner.accountId, owner.network)
  if (status === undefined) {
    const message = `The Network ${owner.network} is not there any more for this account. Issue a new token.`
    throw new ApiError({ code: 'network_not_allowed', message })
  }
  const host = {
    ...owner,
    status,
    id: proof.hostId,
    publicKey: proof.publicKey.x,
    name: value.name ?? alias,
    alias,
  }
  const enrolled = await enrolHost(db, host, now)
  if (enrolled === undefined) {
    throw new ApiError({
      code: 'conflict',
      message: 'This key was enrolled before and removed, or belongs to another account. Make a new one.',
    })
  }
  return c.json({
    hostId: enrolled.id,
    alias: enrolled.alias,
    networks: [...enrolled.networks],
  } satisfies EnrolResponse)
}

/** `GET /host/v1/connect` (rules C2, C4): the Host's object is reached only after everything is verified. */
export async function connect(c: AppContext): Promise<Response> {
  // HEAD comes this way too, and can be answered with no socket (RFC 6455 §4.1).
  if (c.req.method !== 'GET' || c.req.header('upgrade')?.toLowerCase() !== 'websocket') {
    throw new ApiError({
      code: 'upgrade_required',
      message: 'This route speaks WebSocket. Connect with daisi-host.',
    })
  }
  const proof = await readProof(c, bearer(c), 'connect')
  const host = proof === undefined ? undefined : await findHost(database(c.env), proof.hostId)
  if (proof === undefined || host === undefined) throw invalidCredential()
  const { issuer } = await readConfig(c.env)
  const identity: HostIdentity = {
    hostId: host.id,
    accountId: host.accountId,
    publicKey: host.publicKey,
    alias: host.alias,
    networks: await reachableNetworks(c, host.id),
    issuer,
  }
  const response = await hostStub(c.env, host.id).fetch('https://host/connect', {
    headers: {
      upgrade: 'websocket',
      [HOST_IDENTITY_HEADER]: JSON.stringify(identity),
      [HOST_NONCE_HEADER]: proof.nonce,
    },
  })
  if (response.status === 401) throw invalidCredential()
  return response
}

/** Those of a Host's Networks that it may serve from where it connects. */
async function reachableNetworks(c: AppContext, hostId: string): Promise<string[]> {
  const served = await servedNetworks(database(c.env), hostId)
  const address = clientAddress(c.req.raw)
  const fits = (cidrs: readonly string[]): boolean =>
    cidrs.length === 0 || (address !== undefined && isWithin(address, cidrs))
  return served.filter(({ cidrs }) => fits(cidrs)).map(({ name }) => name)
}

async function readProof(
  c: AppContext,
  proof: string,
  purpose: ProofPurpose,
): Promise<HostProof | undefined> {
  const { issuer, keys } = await readConfig(c.env)
  const origin = new URL(c.req.url).host
  return verifyHostProof(proof, { issuer, origin, purpose, challengeMac: keys.challengeMac, now: Date.now() })
}
