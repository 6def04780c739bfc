import { type ChatPayload, INITIAL_WINDOW_BYTES, type JobKind, type Refused, type Run } from '@daisi/protocol'
import type { Config } from '../config.ts'
import type { Candidate } from '../domain/pick.ts'
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

/** Credits held for one attempt at a Job. */
export interface Reservation {
  readonly jobId: string
  readonly begun: Begun
  /** Gives the hold back. Nothing that was done for this attempt is paid after it. */
  free(): Promise<void>
}

/** Work to be done for a Consumer. */
export interface JobRequest {
  readonly kind: JobKind
  readonly model: string
  readonly promptBound: number
  readonly sessionName: string
  /** What the Host is given, for an answer of at most so many tokens. */
  payload(maxTokens: number): ChatPayload
  /** Holds credits for one attempt. Throws `ApiError` if there are none. */
  reserve(): Promise<Reservation>
  /** Lets work go on after the answer. */
  waitUntil(work: Promise<unknown>): void
  /** Aborts when the Consumer is gone. */
  readonly signal: AbortSignal
}

/** A Job that a Host has taken. */
export interface RunningJob {
  readonly relay: Relay
  /** For a Job that ends without having delivered anything. */
  readonly abandon: () => void
}

/**
 * Finds a Host for a Job: asks the directory, then the Hosts, best first, until one accepts. Each Host is asked under a Job
 * id and a hold of its own, so that a Host that was given up can neither end nor bill the work of its successor. Throws
 * `ApiError` if none accepts, or if the request itself is at fault.
 */
export async function dispatchJob(job: JobRequest, env: Env, config: Config): Promise<RunningJob> {
  let reservation = await job.reserve()
  const abandon = (): void => job.waitUntil(reservation.free())
  try {
    const { network } = reservation.begun.record
    const directory = directoryStub(env, network)
    const picked = await directory.pick({ model: job.model, kind: job.kind })
    if (!picked.ok) throw noHost(picked.reason, job.model, network)
    let [asked, full] = [false, false]
    for (const [index, candidate] of picked.candidates.entries()) {
      if (asked) {
        await reservation.free()
        reservation = await job.reserve()
        asked = false
      }
      const relay = await openRelay(job, reservation, candidate, env, config)
      if (relay === undefined) {
        await directory.withdraw(candidate.hostId, candidate.connectionId)
        continue
      }
      asked = true
      const last = index === picked.candidates.length - 1
      const answer = await awaitAcceptance(
        relay,
        job.signal,
        last ? ACCEPT_TIMEOUT_MS : FIRST_ACCEPT_TIMEOUT_MS,
      )
      if (answer === 'accepted') return { relay, abandon }
      // Nobody is there to read an answer: no other Host needs to be asked.
      if (job.signal.aborted) break
      if (answer === 'lost') continue
      if (isRequestAtFault(answer, job, candidate)) throw refusal(answer, job.model)
      full = true
    }
    if (full) throw busy(job.model, network)
    throw asked ? lostBefore() : noHost('no_host_online', job.model, network)
  } catch (error) {
    abandon()
    throw error
  }
}

async function openRelay(
  job: JobRequest,
  { jobId, begun }: Reservation,
  { hostId, model }: Candidate,
  env: Env,
  config: Config,
): Promise<Relay | undefined> {
  const { sessionName, promptBound } = job
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
    payload: job.payload(begun.maxTokens),
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
  signal: AbortSignal,
  timeoutMs: number,
): Promise<'accepted' | 'lost' | Refused> {
  const giveUp = (): void => relay.close()
  if (signal.aborted) giveUp()
  signal.addEventListener('abort', giveUp)
  const event = await relay.next(timeoutMs)
  if (event.type === 'accepted') return 'accepted'
  signal.removeEventListener('abort', giveUp)
  relay.close()
  return event.type === 'refused' ? event.refused : 'lost'
}

/** True if every Host would refuse this request. A Host's word on lengths counts only where it can be true. */
function isRequestAtFault(refused: Refused, job: JobRequest, { model }: Candidate): boolean {
  if (refused.code === 'invalid_payload') return true
  if (refused.code !== 'context_length_exceeded') return false
  return (refused.promptTokens ?? 0) <= job.promptBound && refused.contextLength === model.contextLength
}
