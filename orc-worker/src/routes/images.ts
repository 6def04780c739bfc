import {
  type ImageList,
  type ImageRequest,
  type ImageUsage,
  imageNeeds,
  imageRequest,
  imageTokens,
  imagesTokens,
  toImagePayload,
  unsupportedImageParameter,
} from '@daisi/protocol'
import { IMAGE_GAP_MS, IMAGE_HOLD_MS } from '../domain/deadlines.ts'
import { newId } from '../domain/ids.ts'
import { imageFormat } from '../domain/image-result.ts'
import { NO_PROMPT } from '../domain/money/price.ts'
import { epochSeconds } from '../domain/time.ts'
import type { AppContext } from '../http/context.ts'
import { ApiError } from '../http/errors.ts'
import { readIdempotency } from '../http/idempotency.ts'
import { patientParts } from '../http/patient-json.ts'
import { readJson } from '../http/read-json.ts'
import { sessionStub } from '../objects/stubs.ts'
import { interrupted, readResults } from '../relay/answer.ts'
import type { JobRequest } from '../relay/attempts.ts'
import { type RunningJob, dispatchJob } from '../relay/dispatch.ts'

/** `POST /v1/images/generations` (rules P6, A3, A7, K1–K3). */
export async function imageGenerations(c: AppContext): Promise<Response> {
  const { value: request, text } = await readJson(c.req.raw, imageRequest)
  const unsupported = unsupportedImageParameter(request)
  if (unsupported !== undefined) {
    const message = `This value of \`${unsupported}\` is not served. Leave it out.`
    throw new ApiError({ code: 'unsupported_parameter', message, param: unsupported })
  }
  const leave = new AbortController()
  c.req.raw.signal.addEventListener('abort', () => leave.abort())
  const created = epochSeconds(Date.now())
  const running = startJob(c, request, text, leave.signal)
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
    kind: 'image',
    model,
    needs: imageNeeds(request),
    prompt: NO_PROMPT,
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

/**
 * The parts of an `ImageList`. Each image leaves when the next one, or the end, has come: what is wrong with a Job for one image is
 * found before anything was sent, and no more than two are in memory.
 */
async function* imageList(
  running: Promise<RunningJob>,
  wanted: number,
  created: number,
): AsyncGenerator<string, void> {
  let waiting: string | undefined
  let images = 0
  for await (const part of readResults(await running, IMAGE_GAP_MS)) {
    if (part.type === 'result') {
      if (waiting !== undefined) yield imageEntry(waiting, images === 1 ? created : undefined)
      waiting = part.text
      images++
      continue
    }
    if (waiting === undefined || images < wanted)
      throw interrupted('host_failed', 'The Host sent too few images')
    const { promptTokens, generatedTokens } = part.usage
    const usage: ImageUsage = {
      input_tokens: promptTokens,
      output_tokens: generatedTokens,
      total_tokens: promptTokens + generatedTokens,
    }
    yield `${imageEntry(waiting, images === 1 ? created : undefined)}],"usage":${JSON.stringify(usage)}}`
  }
}

/** An image as part of the list, which begins with the one that says when. */
function imageEntry(image: string, created: number | undefined): string {
  const entry = JSON.stringify({ b64_json: image })
  if (created === undefined) return `,${entry}`
  const head: Pick<ImageList, 'created' | 'output_format'> = {
    created,
    output_format: imageFormat(image) ?? 'png',
  }
  return `${JSON.stringify(head).slice(0, -1)},"data":[${entry}`
}
