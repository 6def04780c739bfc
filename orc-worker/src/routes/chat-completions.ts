import {
  type AnswerDelta,
  type ChatRequest,
  type CompletionIdentity,
  chatNeeds,
  chatRequest,
  chatTurns,
  completion,
  finishChunk,
  requestedTokens,
  roleChunk,
  textChunk,
  toChatPayload,
  unsupportedParameter,
  usageChunk,
} from '@daisi/protocol'
import { newId } from '../domain/ids.ts'
import { promptSize } from '../domain/money/price.ts'
import { epochSeconds } from '../domain/time.ts'
import type { AppContext } from '../http/context.ts'
import { ApiError, errorBody } from '../http/errors.ts'
import { patientJson } from '../http/patient-json.ts'
import { readIdempotency } from '../http/idempotency.ts'
import { readJson } from '../http/read-json.ts'
import { sseEvent, sseResponse } from '../http/sse.ts'
import { within } from '../domain/within.ts'
import { sessionStub } from '../objects/stubs.ts'
import { readAnswer } from '../relay/answer.ts'
import type { JobRequest } from '../relay/attempts.ts'
import { type RunningJob, dispatchJob } from '../relay/dispatch.ts'
import { logEvent } from '../log.ts'

/** Characters of a whole answer that the Worker gathers in its memory. */
const MAX_WHOLE_CHARACTERS = 4 * 1024 * 1024
/** A stream starts after this long even if no Host has taken the Job yet, so that no proxy cuts the wait. */
const HEADERS_AFTER_MS = 5_000

/** `POST /v1/chat/completions` (rules A1–A7, K1–K3). */
export async function chatCompletions(c: AppContext): Promise<Response> {
  const { value: request, text } = await readJson(c.req.raw, chatRequest)
  const unsupported = unsupportedParameter(request)
  if (unsupported !== undefined) {
    const message = `\`${unsupported}\` is not served. Leave it out.`
    throw new ApiError({ code: 'unsupported_parameter', message, param: unsupported })
  }
  const leave = new AbortController()
  c.req.raw.signal.addEventListener('abort', () => leave.abort())
  const identity = {
    id: newId('req').replace('req_', 'chatcmpl-'),
    created: epochSeconds(Date.now()),
    model: request.model,
  }
  const running = startJob(c, request, text, leave.signal)
  running.catch(ignore)
  if (request.stream !== true) {
    const answer = running.then((job) => wholeAnswer(job, identity))
    answer.catch(ignore)
    return patientJson(answer, () => leave.abort())
  }
  // Faults before the first byte are plain HTTP errors; later ones are events in the stream.
  await within(running, HEADERS_AFTER_MS)
  const includeUsage = request.stream_options?.include_usage === true
  return sseResponse(streamedAnswer(running, identity, includeUsage), () => leave.abort())
}

async function startJob(
  c: AppContext,
  request: ChatRequest,
  text: string,
  signal: AbortSignal,
): Promise<RunningJob> {
  const { caller, sessionName, config } = c.var.consumer
  const messages = chatTurns(request)
  const idempotency = await readIdempotency(c.req.header('idempotency-key'), text)
  const maxTokens = requestedTokens(request)
  const { model } = request
  const job: JobRequest = {
    kind: 'chat',
    model,
    needs: chatNeeds(request),
    prompt: promptSize(messages),
    sessionName,
    payload: (granted) => toChatPayload(request, messages, granted),
    async reserve(terms) {
      const jobId = newId('job')
      const session = sessionStub(c.env, sessionName)
      const begun = await session.begin({ caller, jobId, model, ...terms, maxTokens, idempotency })
      if (!begun.ok) return begun
      return { ok: true, jobId, begun, free: () => sessionStub(c.env, sessionName).abandon(jobId) }
    },
    waitUntil: (work) => c.executionCtx.waitUntil(work),
    signal,
  }
  return dispatchJob(job, c.env, config)
}

function tooLong(): ApiError {
  const message = `A whole answer has at most ${MAX_WHOLE_CHARACTERS} characters. Ask for it with \`stream: true\`.`
  return new ApiError({ code: 'invalid_request', message, param: 'stream' })
}

async function wholeAnswer(job: RunningJob, identity: CompletionIdentity): Promise<unknown> {
  let text = ''
  for await (const part of readAnswer(job)) {
    if (part.type === 'delta') text += textOf(part)
    if (text.length > MAX_WHOLE_CHARACTERS) throw tooLong()
    if (part.type === 'finish') return completion(identity, text, part.reason, part.usage)
  }
  throw new ApiError({
    code: 'host_lost',
    message: 'The answer ended early. Send the request again.',
    retryAfterSeconds: 1,
  })
}

async function* streamedAnswer(
  running: Promise<RunningJob>,
  identity: CompletionIdentity,
  includeUsage: boolean,
): AsyncGenerator<string, void> {
  try {
    const job = await running
    yield sseEvent(roleChunk(identity))
    for await (const part of readAnswer(job)) {
      if (part.type === 'delta') {
        if (textOf(part) !== '') yield sseEvent(textChunk(identity, textOf(part)))
        continue
      }
      yield sseEvent(finishChunk(identity, part.reason))
      if (includeUsage) yield sseEvent(usageChunk(identity, part.usage))
      yield sseEvent('[DONE]')
    }
  } catch (error) {
    // A stream never just stops (rule A6).
    if (!(error instanceof ApiError)) logEvent('stream_failed', { error })
    const fault = { code: 'internal_error', message: 'The Orc failed. Send the request again.' } as const
    yield sseEvent(errorBody(error instanceof ApiError ? error.failure : fault))
  }
}

function textOf({ parts }: AnswerDelta): string {
  return parts.map((part) => (part.type === 'text' ? part.text : '')).join('')
}

// Whoever waits for a fault hears of it; a caller that is gone does not, and that is no fault of ours.
function ignore(): void {}
