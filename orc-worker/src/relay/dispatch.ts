import type { Accepted, Refused } from '@daisi/protocol'
import type { Config } from '../config.ts'
import type { Candidate } from '../domain/pick.ts'
import type { Choice, Choices } from '../domain/spend-order.ts'
import { ApiError } from '../http/errors.ts'
import {
  type Answer,
  Attempts,
  type JobRequest,
  type Reservation,
  type ReservationRequest,
} from './attempts.ts'
import { Patience } from './patience.ts'
import { neededHost, pickHosts } from './pick-hosts.ts'
import { busy, declined, loading, lostBefore, noHost, refusal } from './refusals.ts'
import type { Relay } from './relay.ts'

/** Longest wait for the last Host to take a Job: a full Host keeps it in its queue meanwhile. */
const ACCEPT_TIMEOUT_MS = 120_000
/** Longest wait while there are other Hosts to ask. */
const FIRST_ACCEPT_TIMEOUT_MS = 10_000

/** A Job that a Host has taken. */
export interface RunningJob {
  readonly relay: Relay
  /** What its Host counted before it began. */
  readonly accepted: Accepted
  /** For a Job that ends without having delivered anything. */
  readonly abandon: () => void
}

/** Why no Host has taken a Job so far. */
interface Missed {
  readonly error: ApiError
  /** True if it may be otherwise soon. */
  readonly mayPass: boolean
}

/**
 * Finds a Host for a Job: asks the directory, then the Hosts, best first, until one accepts; where none does, again and again for as long
 * as the Consumer wants to wait (rule G4). Throws `ApiError` if none accepts, or if the request itself is at fault.
 */
export async function dispatchJob(job: JobRequest, env: Env, config: Config): Promise<RunningJob> {
  const patience = new Patience(job.options?.waitMs ?? 0, job.signal)
  const begun = await begin(job, env)
  const { terms } = begun
  const { record } = begun.reservation.begun
  const attempts = new Attempts(job, begun, env, config)
  try {
    for (let { picked } = begun; ; picked = await pickHosts(env, record, neededHost(job, terms.ownOnly))) {
      const answer = await offer(picked, attempts, job, terms, record.network)
      if ('relay' in answer) return answer
      if (!answer.mayPass || !(await patience.pause())) throw answer.error
      attempts.outlast()
    }
  } catch (error) {
    attempts.abandon()
    throw error
  }
}

/** Asks these Hosts in turn. Throws `ApiError` if the request itself is at fault. */
async function offer(
  picked: Choices,
  attempts: Attempts,
  job: JobRequest,
  terms: ReservationRequest,
  network: string | null,
): Promise<RunningJob | Missed> {
  if (!picked.ok)
    return { error: noHost(picked, job, network), mayPass: picked.reason !== 'no_host_has_capabilities' }
  const refusals: Refused[] = []
  let unaffordable: ApiError | undefined
  for (const [index, candidate] of picked.choices.entries()) {
    const last = index === picked.choices.length - 1
    const answer = await askOne(attempts, candidate, job, terms, last)
    if (answer === 'gone') continue
    if (answer instanceof ApiError) {
      // This Host counts more than there are credits for. Another may count less.
      unaffordable = answer
      continue
    }
    if (typeof answer === 'object' && 'relay' in answer) return { ...answer, abandon: attempts.abandon }
    // Nobody is there to read an answer: no other Host needs to be asked.
    if (job.signal.aborted) break
    if (answer === 'lost') continue
    if (isRequestAtFault(answer, job, candidate)) throw refusal(answer, job)
    refusals.push(answer)
  }
  if (unaffordable !== undefined) return { error: unaffordable, mayPass: false }
  if (refusals.length > 0) {
    const mayPass = refusals.some(({ code }) => code !== 'declined')
    return { error: refusedByAll(refusals, job.model, network), mayPass }
  }
  const error = attempts.asked ? lostBefore() : noHost({ reason: 'no_host_online' }, job, network)
  return { error, mayPass: true }
}

/** Holds credits for the first attempt and looks for Hosts. Who has too few may still use Hosts of their own. */
async function begin(
  job: JobRequest,
  env: Env,
): Promise<{ reservation: Reservation; terms: ReservationRequest; picked: Choices }> {
  const terms = { promptTokens: job.prompt.estimate, ownOnly: false }
  const reserved = await job.reserve(terms)
  if (reserved.ok) {
    const picked = await pickHosts(env, reserved.begun.record, neededHost(job, false))
    return { reservation: reserved, terms, picked }
  }
  const own =
    reserved.record === undefined ? undefined : await pickHosts(env, reserved.record, neededHost(job, true))
  if (own?.ok !== true) throw new ApiError(reserved)
  const free = { ...terms, ownOnly: true }
  const reservation = await job.reserve(free)
  if (!reservation.ok) throw new ApiError(reservation)
  return { reservation, terms: free, picked: own }
}

/** Asks one Host, and a second time where it counts more prompt tokens than the text suggests: with credits for all. */
async function askOne(
  attempts: Attempts,
  candidate: Choice,
  job: JobRequest,
  terms: ReservationRequest,
  last: boolean,
): Promise<Answer> {
  const timeoutMs = last ? ACCEPT_TIMEOUT_MS : FIRST_ACCEPT_TIMEOUT_MS
  const answer = await attempts.ask(candidate, terms, timeoutMs)
  if (typeof answer !== 'object' || !('code' in answer) || answer.code !== 'token_budget') return answer
  const promptTokens = Math.min(answer.promptTokens ?? 0, job.prompt.bound)
  if (promptTokens <= terms.promptTokens || job.signal.aborted) return answer
  return attempts.ask(candidate, { ...terms, promptTokens }, timeoutMs)
}

/** Why no Host took the Job. One that is only busy will be ready first. */
function refusedByAll(refusals: readonly Refused[], model: string, network: string | null): ApiError {
  const notReady = refusals.filter(({ code }) => code === 'model_loading')
  const unwilling = refusals.filter(({ code }) => code === 'declined')
  if (notReady.length + unwilling.length < refusals.length) return busy(model, network)
  return notReady.length > 0 ? loading(notReady, model, network) : declined(model, network)
}

/** True if every Host would refuse this request. A Host's word on lengths counts only where it can be true. */
function isRequestAtFault(refused: Refused, job: JobRequest, { model }: Candidate): boolean {
  if (refused.code === 'invalid_payload') return true
  if (refused.code !== 'context_length_exceeded') return false
  return (refused.promptTokens ?? 0) <= job.prompt.bound && refused.contextLength === model.contextLength
}
