import type { ByteRange } from './coverage.ts'
import { DownloadError } from './download-error.ts'
import { type HttpAnswer, placeOf } from './http-answer.ts'
import { Attempts, type HttpContext } from './http-get.ts'
import type { PartFile } from './part-file.ts'
import type { ResolvedModel } from './resolve-reference.ts'

/** How a file is fetched. */
export interface FetchPlan {
  /** Requests at once. */
  readonly connections: number
  /** One request asks for so many bytes at most. */
  readonly pieceBytes: number
  /** The hash decides at the end whether it is the right file, whatever servers call it meanwhile. */
  readonly hashKnown: boolean
  /** Hears after each write. */
  readonly onBytes: () => void
}

/** Failures in a row are forgotten after so many new bytes: a server that sends a few at a time is as good as down. */
const WORTH_GOING_ON_BYTES = 64 * 1024

/** Fetches what is missing of a file, several ranges at once. Throws the first `DownloadError` when all requests have ended. */
export async function fetchMissing(
  model: ResolvedModel,
  part: PartFile,
  plan: FetchPlan,
  context: HttpContext,
): Promise<void> {
  const pieceBytes = model.ranges ? plan.pieceBytes : model.sizeBytes
  if (!model.ranges) part.restart()
  const pieces = part.coverage.missing(model.sizeBytes, pieceBytes)
  const queue = [...pieces].values()
  const stop = new AbortController()
  const shared = { ...context, signal: AbortSignal.any([context.signal, stop.signal]) }
  let failure: unknown
  const work = async (): Promise<void> => {
    try {
      for (const piece of queue) await fetchPiece(model, part, piece, plan, shared)
    } catch (error) {
      failure ??= error
      stop.abort()
    }
  }
  await Promise.all(Array.from({ length: plan.connections }, work))
  if (failure !== undefined) throw failure
}

async function fetchPiece(
  model: ResolvedModel,
  part: PartFile,
  piece: ByteRange,
  plan: FetchPlan,
  context: HttpContext,
): Promise<void> {
  const attempts = new Attempts(context)
  let position = piece.start
  while (true) {
    let gained = 0
    try {
      await using answer = await model.file.get(
        model.ranges ? { start: position, end: piece.end } : undefined,
        context,
      )
      checkAnswer(answer, position, piece.end, model, plan)
      for await (const bytes of answer.chunks()) {
        if (position + bytes.length > piece.end) throw failed(model, 'sends more than it was asked for')
        await part.write(position, bytes)
        position += bytes.length
        gained += bytes.length
        plan.onBytes()
      }
      if (position === piece.end) return
      throw failed(model, 'ends too early')
    } catch (error) {
      if (gained >= WORTH_GOING_ON_BYTES && model.ranges) attempts.reset()
      await attempts.afterFailure(error)
      if (model.ranges) continue
      part.restart()
      position = piece.start
    }
  }
}

/** Throws a `DownloadError` if the answer is not about these bytes of this file. */
function checkAnswer(
  answer: HttpAnswer,
  start: number,
  end: number,
  model: ResolvedModel,
  plan: FetchPlan,
): void {
  const { range, totalBytes, validator } = answer
  const changed = totalBytes !== model.sizeBytes || (!plan.hashKnown && validator !== model.validator)
  if (changed)
    throw new DownloadError(
      'server_changed',
      `${placeOf(model.file.url)} became another file during the download; start it again, or say which file you mean with --sha256`,
    )
  if (!model.ranges) return
  if (range === undefined || range.start !== start || range.end !== end)
    throw failed(model, 'does not send the bytes that it was asked for')
}

function failed(model: ResolvedModel, problem: string): DownloadError {
  const message = `${placeOf(model.file.url)} ${problem}; try again later`
  return new DownloadError('server_failed', message, { transient: true })
}
