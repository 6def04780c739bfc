import {
  type ImageRequest,
  imageFault,
  imageNeeds,
  imageRequest,
  imageTokens,
  imageUsage,
  imagesTokens,
  toImagePayload,
} from '@daisi/protocol'
import { IMAGE_GAP_MS, IMAGE_HOLD_MS } from '../domain/deadlines.ts'
import { newId } from '../domain/ids.ts'
import { ImageListText, type TextPart } from '../domain/image-list.ts'
import { NO_PROMPT } from '../domain/money/prompt-size.ts'
import { epochSeconds } from '../domain/time.ts'
import type { AppContext } from '../http/context.ts'
import { readIdempotency } from '../http/idempotency.ts'
import { patientParts } from '../http/patient-json.ts'
import { hostsOf, readRequest, waitedFor } from '../http/request-options.ts'
import { sessionStub } from '../objects/stubs.ts'
import { interrupted, readResults } from '../relay/answer.ts'
import type { JobRequest } from '../relay/attempts.ts'
import { type RunningJob, dispatchJob } from '../relay/dispatch.ts'
import { refuseFault } from './answering.ts'

/** `POST /v1/images/generations` (rules P6, A3, A7, K1–K3). */
export async function imageGenerations(c: AppContext): Promise<Response> {
  const { value: request, text } = await readRequest(c, imageRequest)
  refuseFault(imageFault(request))
  const leave = new AbortController()
  c.req.raw.signal.addEventListener('abort', () => leave.abort())
  const created = epochSeconds(Date.now())
  const running = startJob(c, request, text, leave.signal)
  await waitedFor(c, running)
  return patientParts(imageList(running, request.n ?? 1, created), () => leave.abort())
}

async function startJob(
  c: AppContext,
  request: ImageRequest,
  text: string,
  signal: AbortSignal,
): Promise<RunningJob> {
  const { caller, sessionName, config } = c.var.consumer
  const { model } = request
  const payload = toImagePayload(request)
  const maxTokens = imagesTokens(payload)
  const idempotency = await readIdempotency(c.req.header('idempotency-key'), text)
  const job: JobRequest = {
    ...hostsOf(c),
    kind: 'image',
    model,
    needs: imageNeeds(request),
    prompt: NO_PROMPT,
    fields: { prompt: 'prompt' },
    tokensPerResult: imageTokens(payload.width, payload.height),
    sessionName,
    payload: () => payload,
    async reserve(terms) {
      const jobId = newId('job')
      const session = sessionStub(c.env, sessionName)
      const heldUntil = Date.now() + IMAGE_HOLD_MS
      const wanted = { caller, jobId, model, ...terms, maxTokens, idempotency, heldUntil }
      const begun = await session.begin(wanted)
      if (!begun.ok) return begun
      return { ok: true, jobId, begun, free: () => sessionStub(c.env, sessionName).abandon(jobId) }
    },
    waitUntil: (work) => c.executionCtx.waitUntil(work),
    signal,
  }
  return dispatchJob(job, c.env, config)
}

/** The parts of an `ImageList`. */
async function* imageList(
  running: Promise<RunningJob>,
  wanted: number,
  created: number,
): AsyncGenerator<TextPart, void> {
  const list = new ImageListText(created)
  for await (const part of readResults(await running, IMAGE_GAP_MS)) {
    if (part.type === 'result') {
      const ready = list.add(part.text, part.last)
      if (ready !== undefined) yield ready
      continue
    }
    if (list.images < wanted) throw interrupted('host_failed', 'The Host sent too few images')
    yield list.end(imageUsage(part.usage))
  }
}
