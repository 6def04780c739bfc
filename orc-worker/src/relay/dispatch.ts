import { type ChatPayload, INITIAL_WINDOW_BYTES, type JobKind, type Refused, type Run } from '@daisi/protocol'
import type { Config } from '../config.ts'
import type { Candidate } from '../domain/pick.ts'
import type { Meter } from '../domain/price.ts'
import { pairwisePseudonyms } from '../domain/pseudonym.ts'
import { signSessionToken } from '../domain/session-token.ts'
import type { Begun } from '../objects/session/types.ts'
import { directoryStub } from '../objects/stubs.ts'
import { busy, lostBefore, noHost, refusal } from './refusals.ts'
import { Relay } from './relay.ts'

/** Longest wait for the last Host to take a Job: a full Host keeps it in its queue meanwhile. */
const ACCEPT_TIMEOUT_MS = 120_000
/** Longest wait while there are other Hosts to ask. */
const FIRST_ACCEPT_TIMEOUT_MS = 10_000

/** Work to be done for a Consumer. */
export interface JobRequest {
  readonly jobId: string
  readonly kind: JobKind
  readonly model: string
  readonly payload: ChatPayload
  readonly promptBound: number
  readonly sessionName: string
  readonly begun: Begun
  /** Aborts when the Consumer is gone. */
  readonly signal: AbortSignal
}

/** A Job that a Host has taken, and what is known of its cost. */
export interface RunningJob {
  readonly relay: Relay
  readonly meter: Omit<Meter, 'deliveredTokens'>
}

/**
 * Finds a Host for a Job: asks the directory, then the Hosts, best first, until one accepts. Throws `ApiError` if none
 * does, or if the request itself is at fault.
 */
export async function dispatchJob(job: JobRequest, env: Env, config: Config): Promise<RunningJob> {
  const { network } = job.begun.record
  const directory = directoryStub(env, network)
  const picked = await directory.pick({ model: job.model, kind: job.kind })
  if (!picked.ok) throw noHost(picked.reason, job.model, network)
  let [full, lost] = [false, false]
  for (const [index, candidate] of picked.candidates.entries()) {
    const relay = await openRelay(job, candidate, env, config)
    if (relay === undefined) {
      await directory.withdraw(candidate.hostId, candidate.connectionId)
      continue
    }
    const last = index === picked.candidates.length - 1
    const answer = await awaitAcceptance(relay, job, last ? ACCEPT_TIMEOUT_MS : FIRST_ACCEPT_TIMEOUT_MS)
    if ('relay' in answer) return answer
    // Nobody is there to read an answer: no other Host needs to be asked.
    if (job.signal.aborted) break
    lost ||= 'lost' in answer
    if ('lost' in answer) continue
    if (isRequestAtFault(answer.refused, job, candidate)) throw refusal(answer.refused, job.model)
    full = true
  }
  if (full) throw busy(job.model, network)
  throw lost ? lostBefore() : noHost('no_host_online', job.model, network)
}

async function openRelay(
  job: JobRequest,
  { hostId, model }: Candidate,
  env: Env,
  config: Config,
): Promise<Relay | undefined> {
  const { jobId, sessionName, promptBound, begun } = job
  const { sessionId, network, mode } = begun.record
  const seenAs = await pairwisePseudonyms(sessionId, hostId, config.keys.pseudonymMac)
  const claims = {
    iss: config.issuer,
    aud: hostId,
    sub: seenAs.consumer,
    sid: seenAs.sessionId,
    // One token for each Job and Host: the least a Host can be given.
    jti: jobId,
    net: network,
    mode,
    budget: begun.hold,
  }
  const run: Run = {
    type: 'run',
    jobId,
    kind: job.kind,
    model: { id: model.id, ...(model.sha256 === undefined ? {} : { sha256: model.sha256 }) },
    sessionToken: await signSessionToken(claims, config.signing, Date.now()),
    sealed: false,
    payload: job.payload,
    windowBytes: INITIAL_WINDOW_BYTES,
  }
  return Relay.open(
    env,
    hostId,
    { jobId, sessionId: seenAs.sessionId, sessionName, promptBound, maxTokens: begun.maxTokens },
    run,
  )
}

async function awaitAcceptance(
  relay: Relay,
  job: JobRequest,
  timeoutMs: number,
): Promise<RunningJob | { refused: Refused } | { lost: true }> {
  const giveUp = (): void => relay.close()
  if (job.signal.aborted) giveUp()
  job.signal.addEventListener('abort', giveUp)
  const event = await relay.next(timeoutMs)
  if (event.type === 'accepted') {
    const { promptTokens, cachedTokens } = event.accepted
    const { promptBound, begun } = job
    return { relay, meter: { promptBound, promptTokens, cachedTokens, maxTokens: begun.maxTokens } }
  }
  job.signal.removeEventListener('abort', giveUp)
  relay.close()
  if (event.type === 'refused') return { refused: event.refused }
  return { lost: true }
}

/** True if every Host would refuse this request. A Host's word on lengths counts only where it can be true. */
function isRequestAtFault(refused: Refused, job: JobRequest, { model }: Candidate): boolean {
  if (refused.code === 'invalid_payload') return true
  if (refused.code !== 'context_length_exceeded') return false
  return (refused.promptTokens ?? 0) <= job.promptBound && refused.contextLength === model.contextLength
}
