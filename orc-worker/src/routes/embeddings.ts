import {
  type EmbeddingRequest,
  embeddingRequest,
  embeddingUsage,
  readVector,
  toEmbedding,
  toEmbeddingPayload,
} from '@daisi/protocol'
import { TEXT_GAP_MS } from '../domain/deadlines.ts'
import type { TextPart } from '../domain/image-list.ts'
import { newId } from '../domain/ids.ts'
import { textSize } from '../domain/money/prompt-size.ts'
import type { AppContext } from '../http/context.ts'
import { ApiError } from '../http/errors.ts'
import { readIdempotency } from '../http/idempotency.ts'
import { patientParts } from '../http/patient-json.ts'
import { hostsOf, readRequest, waitedFor } from '../http/request-options.ts'
import { sessionStub } from '../objects/stubs.ts'
import { interrupted, readResults } from '../relay/answer.ts'
import type { JobRequest } from '../relay/attempts.ts'
import { type RunningJob, dispatchJob } from '../relay/dispatch.ts'

/** Characters of base64 that one vector may have: 65,536 numbers. */
const MAX_VECTOR_CHARACTERS = 65_536 * 4 * 2

/** `POST /v1/embeddings` (rules P7, A12, K1–K3). */
export async function embeddings(c: AppContext): Promise<Response> {
  const { value: request, text } = await readRequest(c, embeddingRequest)
  const leave = new AbortController()
  c.req.raw.signal.addEventListener('abort', () => leave.abort())
  const running = startJob(c, request, text, leave.signal)
  await waitedFor(c, running)
  return patientParts(embeddingList(running, request), () => leave.abort())
}

async function startJob(
  c: AppContext,
  request: EmbeddingRequest,
  text: string,
  signal: AbortSignal,
): Promise<RunningJob> {
  const { caller, sessionName, config } = c.var.consumer
  const { model } = request
  const payload = toEmbeddingPayload(request)
  const idempotency = await readIdempotency(c.req.header('idempotency-key'), text)
  const job: JobRequest = {
    ...hostsOf(c),
    kind: 'embedding',
    model,
    prompt: textSize(payload.input),
    results: {
      count: payload.input.length,
      mostTokens: payload.input.reduce((most, input) => Math.max(most, textSize([input]).bound), 0),
    },
    fields: { input: 'input', prompt: 'input' },
    sessionName,
    payload: () => payload,
    async reserve(terms) {
      const jobId = newId('job')
      const session = sessionStub(c.env, sessionName)
      const wanted = { caller, jobId, model, ...terms, maxTokens: 1, idempotency }
      const begun = await session.begin(wanted)
      if (!begun.ok) return begun
      return { ok: true, jobId, begun, free: () => sessionStub(c.env, sessionName).abandon(jobId) }
    },
    waitUntil: (work) => c.executionCtx.waitUntil(work),
    signal,
  }
  return dispatchJob(job, c.env, config)
}

/** The parts of an `EmbeddingList`: a vector leaves as soon as it is whole. */
async function* embeddingList(
  running: Promise<RunningJob>,
  request: EmbeddingRequest,
): AsyncGenerator<TextPart, void> {
  const wanted = toEmbeddingPayload(request).input.length
  let count = 0
  let base64 = ''
  for await (const part of readResults(await running, TEXT_GAP_MS)) {
    if (part.type === 'finish') {
      if (count < wanted) throw interrupted('host_failed', 'The Host sent too few vectors')
      yield { pieces: [`],"usage":${JSON.stringify(embeddingUsage(part.usage))}}`], mayPause: true }
      return
    }
    base64 += part.text
    if (base64.length > MAX_VECTOR_CHARACTERS || count === wanted)
      throw interrupted('host_failed', 'The Host sent more than was asked for')
    if (!part.last) continue
    const before = count === 0 ? head(request) : ','
    yield { pieces: [before + JSON.stringify(embeddingOf(request, base64, count))], mayPause: true }
    base64 = ''
    count++
  }
}

function embeddingOf(request: EmbeddingRequest, base64: string, index: number): unknown {
  const vector = readVector(base64)
  if (vector === undefined) throw interrupted('host_failed', 'The Host sent what is no vector')
  const embedding = toEmbedding(request, vector, index)
  if (embedding !== undefined) return embedding
  const message = `\`dimensions\`: vectors of this model have ${vector.length} numbers. Ask for fewer, or leave it out.`
  throw new ApiError({ code: 'invalid_request', message, param: 'dimensions' })
}

function head({ model }: EmbeddingRequest): string {
  return `{"object":"list","model":${JSON.stringify(model)},"data":[`
}
