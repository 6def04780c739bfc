import {
  type Accepted,
  type ChatPayload,
  type CompletionPayload,
  type EmbeddingPayload,
  INITIAL_WINDOW_BYTES,
  type ImagePayload,
  type ParameterNeed,
  type RankingPayload,
  type Refused,
  type Run,
  type ServedKind,
} from '@daisi/protocol'
import type { Config } from '../config.ts'
import type { PromptSize } from '../domain/money/prompt-size.ts'
import type { Choice } from '../domain/spend-order.ts'
import { pairwisePseudonyms } from '../domain/pseudonym.ts'
import type { HostOptions } from '../domain/request-options.ts'
import { signSessionToken } from '../domain/session-token.ts'
import { ApiError } from '../http/errors.ts'
import type { Begun, SessionFailure } from '../objects/session/types.ts'
import { directoryStub } from '../objects/stubs.ts'
import { Relay } from './relay.ts'

/** One attempt at a Job, and the credits held for it. */
export interface Reservation {
  readonly ok: true
  readonly jobId: string
  readonly begun: Begun
  /** Gives the hold back. Nothing that was done for this attempt is paid after it. */
  free(): Promise<void>
}

/** What an attempt needs credits for. */
export interface ReservationRequest {
  readonly promptTokens: number
  /** True if only Hosts of the Consumer's own account will be asked: they work for free. */
  readonly ownOnly: boolean
}

/** Parameters of an API by the fields of a payload. `prompt` is what is too long where the context is too short. */
export type FieldNames = Readonly<Partial<Record<NonNullable<Refused['field']>, string>>>

export type JobPayload = ChatPayload | CompletionPayload | EmbeddingPayload | RankingPayload | ImagePayload

/** Work to be done for a Consumer. */
export interface JobRequest {
  readonly kind: ServedKind
  /** Id or alias. */
  readonly model: string
  /** What its Host must be able to do. Absent: what every Host can. */
  readonly needs?: readonly ParameterNeed[]
  readonly prompt: PromptSize
  /** How the Consumer's request calls what a Host can be at odds with (rule J11). */
  readonly fields: FieldNames
  /** The price of each result in tokens, where it is known before. Absent: what its Host counts. */
  readonly tokensPerResult?: number
  /** Where each result states the tokens of its own input, and nothing else costs anything (rule P7): how many there are, and the most of one. */
  readonly results?: { readonly count: number; readonly mostTokens: number }
  readonly sessionName: string
  /** Which Hosts the Consumer wants, and how long it waits for one. Absent: any, and not at all. */
  readonly options?: HostOptions
  /** Told the alias of the Host that has taken the Job. */
  readonly taken?: (host: string) => void
  /** What the Host is given, for an answer of at most so many tokens. */
  payload(maxTokens: number): JobPayload
  /** Holds credits for one attempt. */
  reserve(request: ReservationRequest): Promise<Reservation | SessionFailure>
  /** Lets work go on after the answer. */
  waitUntil(work: Promise<unknown>): void
  /** Aborts when the Consumer is gone. */
  readonly signal: AbortSignal
}

/** What a Host answered to an attempt; `gone` if it is not there at all; an error if the credits for it are missing. */
export type Answer =
  | { readonly relay: Relay; readonly accepted: Accepted }
  | Refused
  | 'lost'
  | 'gone'
  | ApiError

/**
 * The attempts at one Job, one after the other. Each Host is asked under a Job id and a hold of its own, so that a Host that
 * was given up can neither end nor bill the work of its successor. At most one hold is out at a time.
 */
export class Attempts {
  readonly #job: JobRequest
  readonly #env: Env
  readonly #config: Config
  #reservation: Reservation
  #terms: ReservationRequest
  #asked = false
  #isOld = false

  constructor(
    job: JobRequest,
    first: { readonly reservation: Reservation; readonly terms: ReservationRequest },
    env: Env,
    config: Config,
  ) {
    this.#job = job
    this.#reservation = first.reservation
    this.#terms = first.terms
    this.#env = env
    this.#config = config
  }

  /** True if the last Host that was there was asked in vain. */
  get asked(): boolean {
    return this.#asked
  }

  /** The Consumer has waited: before the next Host is asked, credits are held anew, so that the hold does not lapse while it works. */
  outlast(): void {
    this.#isOld = true
  }

  /** Gives the present hold back, in the background. */
  readonly abandon = (): void => this.#job.waitUntil(this.#reservation.free())

  /** Offers the Job to a Host. Throws `ApiError` if nothing can be held for it. */
  async ask(candidate: Choice, terms: ReservationRequest, timeoutMs: number): Promise<Answer> {
    if (this.#asked || this.#isOld || terms.promptTokens !== this.#terms.promptTokens) {
      await this.#reservation.free()
      const reserved = await this.#job.reserve(terms)
      if (!reserved.ok && reserved.record !== undefined) return new ApiError(reserved)
      if (!reserved.ok) throw new ApiError(reserved)
      this.#reservation = reserved
      this.#terms = terms
      this.#asked = false
      this.#isOld = false
    }
    const relay = await openRelay(this.#job, this.#reservation, candidate, this.#env, this.#config)
    if (relay === undefined) {
      await directoryStub(this.#env, candidate.network).withdraw(candidate.hostId, candidate.connectionId)
      return 'gone'
    }
    this.#asked = true
    const answer = await awaitAcceptance(relay, this.#job.signal, timeoutMs)
    if (typeof answer === 'object' && 'relay' in answer) this.#job.taken?.(candidate.alias)
    return answer
  }
}

async function openRelay(
  job: JobRequest,
  { jobId, begun }: Reservation,
  { hostId, model, network, sameAccount }: Choice,
  env: Env,
  config: Config,
): Promise<Relay | undefined> {
  const { sessionName, prompt, tokensPerResult, results } = job
  const { maxTokens } = begun
  // What is beyond the inputs' bytes is never paid: a Host shall know it before it works.
  const budget = results === undefined ? begun.budget : Math.min(begun.budget, prompt.bound)
  const payload = job.payload(maxTokens)
  const { sessionId } = begun.record
  const seenAs = await pairwisePseudonyms(sessionId, hostId, config.keys.pseudonymMac)
  const claims = {
    iss: config.issuer,
    aud: hostId,
    sub: seenAs.consumer,
    sid: seenAs.sessionId,
    // One token for each Job and Host: the least a Host can be given.
    jti: jobId,
    net: network,
    mode: 'orchestrated' as const,
    budget,
    ...(sameAccount ? { own: true } : {}),
  }
  const pinned = model.sha256 === undefined ? {} : { sha256: model.sha256 }
  const run: Run = {
    type: 'run',
    jobId,
    kind: job.kind,
    model: { id: model.id, ...pinned },
    sessionToken: await signSessionToken(claims, config.signing, Date.now()),
    sealed: false,
    payload,
    windowBytes: INITIAL_WINDOW_BYTES,
  }
  const request = {
    jobId,
    sessionId: seenAs.sessionId,
    sessionName,
    kind: job.kind,
    // As it was asked for: an id of its own would keep a Host apart from those that it is to be compared with.
    model: job.model,
    network,
    ...(model.sha256 === undefined ? {} : { modelSha256: model.sha256 }),
    promptBytes: prompt.bytes,
    promptBound: results === undefined ? prompt.bound : 0,
    ...('logprobs' in payload && payload.logprobs !== undefined ? { logprobs: payload.logprobs } : {}),
    ...(results === undefined ? {} : { results }),
    ...(tokensPerResult === undefined ? {} : { tokensPerResult }),
    budget,
    maxTokens: results === undefined ? maxTokens : budget,
    resumed: false,
  }
  return Relay.open(env, hostId, request, run)
}

async function awaitAcceptance(relay: Relay, signal: AbortSignal, timeoutMs: number): Promise<Answer> {
  const giveUp = (): void => relay.close()
  if (signal.aborted) giveUp()
  signal.addEventListener('abort', giveUp)
  const event = await relay.next(timeoutMs)
  if (event.type === 'accepted') return { relay, accepted: event.accepted }
  signal.removeEventListener('abort', giveUp)
  relay.close()
  return event.type === 'refused' ? event.refused : 'lost'
}
