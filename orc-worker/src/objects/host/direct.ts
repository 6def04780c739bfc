import {
  DIRECT_REPORT_SECONDS,
  type DirectOffer,
  type DirectReport,
  type JobUsage,
  type SessionTokenClaims,
  encodeDown,
} from '@daisi/protocol'
import { readConfig } from '../../config.ts'
import { verifyAcknowledgement } from '../../domain/acknowledgement.ts'
import { invalidReceipt, strayReceipt } from '../../domain/anomalies/host-sightings.ts'
import { hashCredential } from '../../domain/credential.ts'
import { NO_USAGE, weighAcknowledged } from '../../domain/money/claim.ts'
import { verifyReceipt } from '../../domain/receipt.ts'
import { readOwnSessionToken } from '../../domain/session-token.ts'
import { logEvent } from '../../log.ts'
import type { HostSocket } from './attachments.ts'
import type { HostContext } from './context.ts'
import type { HostDirectToken } from './host-direct-tokens.ts'
import type { Tagged } from './sockets.ts'

/** Token ids in one message. */
const MAX_TOKEN_IDS = 256

/** Notes a token for Direct Connections to this Host. Answers where it listens, or undefined if it is not there, does not serve the Network, or offers none. */
export function grantDirect(token: HostDirectToken, context: HostContext): DirectOffer | undefined {
  const now = Date.now()
  const host = context.sockets.liveHost(now)?.attachment
  const offer = host?.identity.networks.includes(token.network) === true ? host.direct : undefined
  if (offer !== undefined) context.direct.add(token, now)
  return offer
}

/** The Host shall begin nothing more under these tokens (rule D9). */
export function revokeDirect(tokenIds: readonly string[], context: HostContext): void {
  context.direct.revoke(tokenIds)
  const host = context.sockets.liveHost(Date.now())
  if (host !== undefined) tell(host.socket, tokenIds)
}

/** Tells a Host which of its tokens were revoked, perhaps while it was away. */
export function tellRevoked(socket: WebSocket, { direct }: HostContext): void {
  tell(socket, direct.revoked(Date.now()))
}

function tell(socket: WebSocket, tokenIds: readonly string[]): void {
  for (let start = 0; start < tokenIds.length; start += MAX_TOKEN_IDS) {
    const some = tokenIds.slice(start, start + MAX_TOKEN_IDS)
    socket.send(encodeDown({ type: 'direct-revoked', tokenIds: some }))
  }
}

/** A Job of a Direct Connection is over (rule D8). What acknowledgement and receipt agree on goes to its Session. */
export async function noteDirectReport(
  host: Tagged<HostSocket>,
  report: DirectReport,
  context: HostContext,
): Promise<void> {
  const { jobId } = report
  const now = Date.now()
  const job = await readReport(host.attachment, report, context, now)
  if (job === undefined) await noteStray(host.attachment, report, context, now)
  else {
    const { claims, token } = job
    const usage = await agreedUsage(host.attachment, report, job, context, now)
    const { hostId, accountId: payee } = host.attachment.identity
    const { sessionName, model, network } = token
    const ended = {
      // The Consumer chose the Job's id: it tells Jobs of one Session and Host apart, as acknowledgement and receipt do, and can
      // name no hold of the Session.
      jobId: `${claims.sid}/${jobId}`,
      tokenId: claims.jti,
      sessionName,
      hostId,
      payee,
      model,
      network,
      usage,
      endedAt: now,
    }
    context.storage.recordEnd({ ...ended, promptBytes: 0, textBytes: 0 })
    await context.reporter.report()
  }
  // Stored, or of no use however often it comes.
  host.socket.send(encodeDown({ type: 'direct-noted', jobIds: [jobId] }))
}

interface ReportedJob {
  readonly claims: SessionTokenClaims
  readonly token: HostDirectToken
}

/** The token that a report is about, if it is one of ours for this Host and not too late. */
async function readReport(
  { identity }: HostSocket,
  { sessionToken }: DirectReport,
  { env, direct }: HostContext,
  now: number,
): Promise<ReportedJob | undefined> {
  const { signing } = await readConfig(env)
  const expected = { ...identity, lateSeconds: DIRECT_REPORT_SECONDS, now }
  const claims = await readOwnSessionToken(sessionToken, expected, signing)
  if (claims?.mode !== 'direct') return undefined
  const token = direct.find(claims.jti, now)
  return token === undefined ? undefined : { claims, token }
}

async function agreedUsage(
  { identity }: HostSocket,
  { jobId, acknowledgement, receipt }: DirectReport,
  { claims, token }: ReportedJob,
  { outbox }: HostContext,
  now: number,
): Promise<JobUsage> {
  const { hostId, publicKey, issuer } = identity
  const sessionId = claims.sid
  const keyThumbprint = claims.cnf?.jkt ?? ''
  const [acknowledged, verified] = await Promise.all([
    verifyAcknowledgement(acknowledgement, { keyThumbprint, hostId, sessionId, jobId }),
    verifyReceipt(receipt, { hostId, publicKey, issuer, jobId, sessionId, modelSha256: token.modelSha256 }),
  ])
  if (!verified.ok) {
    const digest = await hashCredential(receipt)
    await outbox.note(invalidReceipt({ hostId, jobId, digest, fault: verified.fault }, now))
    return NO_USAGE
  }
  return acknowledged === undefined ? NO_USAGE : weighAcknowledged(acknowledged, verified.usage)
}

async function noteStray(
  { identity }: HostSocket,
  { jobId, receipt }: DirectReport,
  { outbox }: HostContext,
  now: number,
): Promise<void> {
  logEvent('direct_report_stray', { hostId: identity.hostId, jobId })
  await outbox.note(
    strayReceipt({ hostId: identity.hostId, jobId, digest: await hashCredential(receipt) }, now),
  )
}
