import {
  AnswerCollector,
  type AnswerWriter,
  type ChatPayload,
  type CompletionPayload,
  type ParameterNeed,
  type RequestFault,
  type StreamEvent,
  type WholeAnswer,
} from '@daisi/protocol'
import { newId } from '../domain/ids.ts'
import { NO_USAGE } from '../domain/money/claim.ts'
import type { PromptSize } from '../domain/money/prompt-size.ts'
import { within } from '../domain/within.ts'
import type { AppContext } from '../http/context.ts'
import { ApiError, STATUS } from '../http/errors.ts'
import { readIdempotency } from '../http/idempotency.ts'
import { logRequest } from '../http/log-request.ts'
import { patientJson } from '../http/patient-json.ts'
import { hostsOf, waitedFor } from '../http/request-options.ts'
import { sseEvent, sseResponse } from '../http/sse.ts'
import { sessionStub } from '../objects/stubs.ts'
import { readAnswer } from '../relay/answer.ts'
import type { FieldNames, JobRequest } from '../relay/attempts.ts'
import { type RunningJob, dispatchJob } from '../relay/dispatch.ts'
import { merged } from '../relay/merged.ts'

/** Characters of a whole answer that the Worker gathers in its memory. */
const MAX_WHOLE_CHARACTERS = 4 * 1024 * 1024
/** A stream starts after this long even if no Host has taken the Job yet, so that no proxy cuts the wait. */
const HEADERS_AFTER_MS = 5_000
/** So long it waits for others of several answers. A Host that is full begins them only after those before. */
const OTHERS_WITHIN_MS = 500

/** A Job whose answer is told in the words of an API. */
export interface AnswerJob {
  readonly kind: 'chat' | 'completion'
  readonly model: string
  readonly needs: readonly ParameterNeed[]
  readonly prompt: PromptSize
  readonly fields: FieldNames
  /** Tokens of the answer at most, or undefined if the caller names none. */
  readonly maxTokens: number | undefined
  payload(granted: number): ChatPayload | CompletionPayload
}

/** A request whose answers are texts, whatever its API. */
export interface AnswerTask {
  /** One for each choice, in order. The first carries the `Idempotency-Key`. */
  readonly jobs: readonly AnswerJob[]
  readonly stream: boolean
  /** How the API tells it as a stream. */
  readonly writer: AnswerWriter
  /** How it tells it at once. */
  whole(answers: readonly WholeAnswer[]): unknown
}

interface Idempotency {
  readonly key: string
  readonly digest: string
}

/** Throws if there is a fault. */
export function refuseFault(fault: RequestFault | undefined): void {
  if (fault !== undefined) throw new ApiError(fault)
}

/** Has the Jobs done and answers with what comes of them (rules A5–A7, K1–K3). `bodyText` is the request as it came. */
export async function answerTask(c: AppContext, bodyText: string, task: AnswerTask): Promise<Response> {
  const leave = new AbortController()
  c.req.raw.signal.addEventListener('abort', () => leave.abort())
  const begun = startJobs(c, bodyText, task.jobs, leave.signal)
  const all = begun.then((jobs) => Promise.all(jobs))
  // The others are of no use to anybody.
  all.catch(() => leave.abort())
  if (!task.stream) {
    const answer = begun
      .then((jobs) => Promise.all(jobs.map((job) => wholeAnswer(job, MAX_WHOLE_CHARACTERS / jobs.length))))
      .then((told) => task.whole(told))
    answer.catch(() => leave.abort())
    await waitedFor(c, all)
    return patientJson(answer, () => leave.abort())
  }
  // Faults before the first byte are plain HTTP errors; later ones are events in the stream.
  const first = begun.then((jobs) => jobs[0])
  await within(first, HEADERS_AFTER_MS)
  if (task.jobs.length > 1) await within(all, OTHERS_WITHIN_MS)
  return sseResponse(streamedAnswer(c, begun, task.writer, leave), () => leave.abort())
}

/** Once a Host has taken the first of the Jobs: each of them, as soon as one has taken it. */
async function startJobs(
  c: AppContext,
  bodyText: string,
  jobs: readonly AnswerJob[],
  signal: AbortSignal,
): Promise<readonly Promise<RunningJob>[]> {
  const idempotency = await readIdempotency(c.req.header('idempotency-key'), bodyText)
  const [first, ...others] = jobs
  if (first === undefined) return []
  // Whether it was sent before is known once it has begun: until then no other may cost anything.
  const begun = await startJob(c, first, idempotency, signal)
  return [
    Promise.resolve(begun),
    ...others.map((job, index) => startJob(c, job, idempotency && nth(idempotency, index + 1), signal)),
  ]
}

/** The key of a further answer: no caller can send one with this character. */
function nth({ key, digest }: Idempotency, index: number): Idempotency {
  return { key: `${key}\u0001${index}`, digest }
}

/** Finds a Host for one of the Jobs. */
export function startJob(
  c: AppContext,
  { maxTokens, ...work }: AnswerJob,
  idempotency: Idempotency | undefined,
  signal: AbortSignal,
): Promise<RunningJob> {
  const { caller, sessionName, config } = c.var.consumer
  const { model } = work
  const job: JobRequest = {
    ...work,
    ...hostsOf(c),
    sessionName,
    async reserve(terms) {
      const jobId = newId('job')
      const session = sessionStub(c.env, sessionName)
      const begun = await session.begin({ caller, jobId, model, ...terms, maxTokens, idempotency })
      if (!begun.ok) return begun
      return { ok: true, jobId, begun, free: () => sessionStub(c.env, sessionName).abandon(jobId) }
    },
    waitUntil: (ending) => c.executionCtx.waitUntil(ending),
    signal,
  }
  return dispatchJob(job, c.env, config)
}

/** Several answers share what the Worker gathers. */
async function wholeAnswer(job: Promise<RunningJob>, mostCharacters: number): Promise<WholeAnswer> {
  const collector = new AnswerCollector()
  for await (const part of readAnswer(job)) {
    if (part.type === 'finish') return collector.whole(part)
    collector.add(part)
    if (collector.size > mostCharacters) throw tooLong()
  }
  throw new ApiError({
    code: 'host_lost',
    message: 'The answer ended early. Send the request again.',
    retryAfterSeconds: 1,
  })
}

function tooLong(): ApiError {
  const message = `Whole answers have at most ${MAX_WHOLE_CHARACTERS} characters together. Ask for them with \`stream: true\`.`
  return new ApiError({ code: 'invalid_request', message, param: 'stream' })
}

function tooLongToKeep(): ApiError {
  const message = `In this API an answer has at most ${MAX_WHOLE_CHARACTERS} characters. Ask for fewer tokens, or for a chat completion.`
  return new ApiError({ code: 'invalid_request', message, param: 'stream' })
}

async function* streamedAnswer(
  c: AppContext,
  begun: Promise<readonly Promise<RunningJob>[]>,
  writer: AnswerWriter,
  leave: AbortController,
): AsyncGenerator<string, void> {
  try {
    const jobs = await begun
    yield text(writer.start((await jobs[0])?.accepted ?? NO_USAGE))
    for await (const [choice, part] of merged(jobs.map(readAnswer))) {
      yield text(part.type === 'delta' ? writer.delta(choice, part) : writer.finish(choice, part))
      if ((writer.size ?? 0) > MAX_WHOLE_CHARACTERS) throw tooLongToKeep()
    }
    yield text(writer.end())
  } catch (error) {
    // What the other answers cost would be for nothing.
    leave.abort()
    // A stream never just stops (rule A6).
    if (!(error instanceof ApiError)) logRequest(c, 'stream_failed', { error })
    const fault = { code: 'internal_error', message: 'The Orc failed. Send the request again.' } as const
    const failure = error instanceof ApiError ? error.failure : fault
    yield text(writer.fail({ ...failure, status: STATUS[failure.code] }))
  }
}

function text(events: readonly StreamEvent[]): string {
  return events.map(sseEvent).join('')
}
