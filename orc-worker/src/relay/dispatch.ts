import { type ChatPayload, INITIAL_WINDOW_BYTES, type JobKind, type Refused, type Run } from '@daisi/protocol'
import type { Config } from '../config.ts'
import type { Candidate } from '../domain/pick.ts'
import { pairwisePseudonym } from '../domain/pseudonym.ts'
import { signSessionToken } from '../domain/session-token.ts'
import { ApiError } from '../http/errors.ts'
import type { Begun } from '../objects/session/types.ts'
import { directoryStub } from '../objects/stubs.ts'
import { busy, noHost, refusal } from './refusals.ts'
import { Relay } from './relay.ts'

/** Longest wait for a Host to take a Job: a full Host keeps it in its queue meanwhile. */
const ACCEPT_TIMEOUT_MS = 120_000

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

/** A Job that a Host has taken. */
export interface RunningJob {
  readonly relay: Relay
  readonly promptTokens: number
  readonly cachedTokens: number
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
  let lastRefusal: Refused | undefined
  for (const candidate of picked.candidates) {
    const relay = await openRelay(job, candidate, env, config)
    if (relay === undefined) {
      await directory.withdraw(candidate.hostId, candidate.connectionId)
      continue
    }
    const answer = await awaitAcceptance(relay, job)
    if (!('refused' in answer)) return answer
    lastRefusal = answer.refused
    relay.close()
    if (!anotherMayTake(lastRefusal)) throw refusal(lastRefusal, job.model)
  }
  throw lastRefusal === undefined ? noHost('no_host_online', job.model, network) : busy(job.model, network)
}

async function openRelay(
  job: JobRequest,
  { hostId, model }: Candidate,
  env: Env,
  config: Config,
): Promise<Relay | undefined> {
  const { jobId, sessionName, promptBound, begun } = job
  const { sessionId, network, mode } = begun.record
  const claims = {
    iss: config.issuer,
    aud: hostId,
    sub: await pairwisePseudonym(sessionId, hostId, config.keys.pseudonymMac),
    sid: sessionId,
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
    { jobId, sessionId, sessionName, promptBound, maxTokens: begun.maxTokens },
    run,
  )
}

async function awaitAcceptance(relay: Relay, job: JobRequest): Promise<RunningJob | { refused: Refused }> {
  const giveUp = (): void => relay.close()
  if (job.signal.aborted) giveUp()
  job.signal.addEventListener('abort', giveUp)
  const event = await relay.next(ACCEPT_TIMEOUT_MS)
  switch (event.type) {
    case 'accepted': {
      const promptTokens = Math.min(event.accepted.promptTokens, job.promptBound)
      return { relay, promptTokens, cachedTokens: Math.min(event.accepted.cachedTokens, promptTokens) }
    }
    case 'refused':
      job.signal.removeEventListener('abort', giveUp)
      return { refused: event.refused }
    case 'silent':
      relay.close()
      throw new ApiError({
        code: 'host_timeout',
        message: 'The Host did not answer in time. Send the request again.',
        retryAfterSeconds: 1,
      })
    case 'lost':
    case 'delta':
    case 'end':
      relay.close()
      throw new ApiError({
        code: 'host_lost',
        message: 'The Host was lost before it began. Nothing was charged. Send the request again.',
        retryAfterSeconds: 1,
      })
  }
}

function anotherMayTake(refused: Refused): boolean {
  return refused.code !== 'context_length_exceeded' && refused.code !== 'invalid_payload'
}
