import { type ChallengeResponse, type EnrolResponse, type ProofPurpose, enrolRequest } from '@daisi/protocol'
import { readConfig } from '../config.ts'
import { database } from '../db/client.ts'
import { servedNetworks } from '../db/host-networks.ts'
import { enrolHost, findHost, findEnrolment } from '../db/hosts.ts'
import { standingOn } from '../db/networks.ts'
import { hostAlias } from '../domain/alias.ts'
import { CHALLENGE_SECONDS, mintChallenge } from '../domain/challenge.ts'
import { isOpenTo } from '../domain/cidr.ts'
import { checkCredential } from '../domain/credential.ts'
import { type HostProof, verifyHostProof } from '../domain/host-proof.ts'
import { bearer, invalidCredential } from '../http/bearer.ts'
import { clientAddress } from '../http/client-address.ts'
import type { AppContext } from '../http/context.ts'
import { ApiError } from '../http/errors.ts'
import { readJson } from '../http/read-json.ts'
import type { HostIdentity } from '../objects/host/attachments.ts'
import { HOST_GENERATION_HEADER, HOST_IDENTITY_HEADER, HOST_NONCE_HEADER } from '../objects/host/headers.ts'
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
  const token = hash === undefined ? undefined : { hash, hostId: proof.hostId }
  const owner = token === undefined ? undefined : await findEnrolment(db, token, now)
  if (token === undefined || owner === undefined) throw uselessToken()
  const alias = await hostAlias(proof.hostId)
  // What the account may do on the Network may have changed since the token was made.
  const status = await standingOn(db, owner.accountId, owner.network)
  if (status === undefined) {
    const message = `The Network ${owner.network} is not there any more for this account. Issue a new token.`
    throw new ApiError({ code: 'network_not_allowed', message, param: 'token' })
  }
  const host = {
    ...owner,
    status,
    id: proof.hostId,
    publicKey: proof.publicKey.x,
    name: value.name ?? alias,
    alias,
  }
  const enrolled = await enrolHost(db, host, token, now)
  if (enrolled === 'token_used') throw uselessToken()
  if (enrolled === 'key_taken') {
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
  const db = database(c.env)
  // Only what is enrolled has an object to be asked: strangers make none.
  if (proof === undefined || (await findHost(db, proof.hostId)) === undefined) throw invalidCredential()
  // The object lets in no rights that were read before they last changed, so they are read after this.
  const generation = await hostStub(c.env, proof.hostId).rightsGeneration()
  const [host, served] = await Promise.all([findHost(db, proof.hostId), servedNetworks(db, proof.hostId)])
  if (host === undefined) throw invalidCredential()
  const address = clientAddress(c.req.raw)
  const networks = served.filter(({ cidrs }) => isOpenTo(cidrs, address)).map(({ name }) => name)
  const { issuer } = await readConfig(c.env)
  const identity: HostIdentity = {
    hostId: host.id,
    accountId: host.accountId,
    publicKey: host.publicKey,
    alias: host.alias,
    networks,
    issuer,
    ...(address !== undefined && { address }),
  }
  const response = await hostStub(c.env, host.id).fetch('https://host/connect', {
    headers: {
      upgrade: 'websocket',
      [HOST_IDENTITY_HEADER]: JSON.stringify(identity),
      [HOST_NONCE_HEADER]: proof.nonce,
      [HOST_GENERATION_HEADER]: String(generation),
    },
  })
  if (response.status === 401) throw invalidCredential()
  if (response.status === 503) {
    const message = 'What this Host may do changed while it connected. Connect again.'
    throw new ApiError({ code: 'storage_unavailable', message, retryAfterSeconds: 1 })
  }
  return response
}

function uselessToken(): ApiError {
  const message =
    'This enrolment token is unknown, expired or used. Issue a new one with POST /api/host-enrolments.'
  return new ApiError({ code: 'invalid_api_key', message })
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
