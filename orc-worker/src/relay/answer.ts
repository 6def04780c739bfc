import type { AnswerDelta, AnswerFinish, ErrorCode } from '@daisi/protocol'
import { TEXT_GAP_MS } from '../domain/deadlines.ts'
import { ApiError } from '../http/errors.ts'
import type { RunningJob } from './dispatch.ts'

/** The parts of an answer, in order. Exactly one `finish` ends it. */
export type AnswerPart = AnswerDelta | AnswerFinish

/** What comes of a Job whose results are not text: their parts, in order, and one `finish` after the last of one. */
export type ResultPart = Result | AnswerFinish

interface Result {
  readonly type: 'result'
  readonly text: string
  /** True if the result ends here. */
  readonly last: boolean
}

type Part = AnswerPart | Result

/** Reads a Job, once it runs, to its end. Throws `ApiError` if it does not come to one. Leaving early cancels the Job. */
export async function* readAnswer(job: RunningJob | Promise<RunningJob>): AsyncGenerator<AnswerPart, void> {
  for await (const part of readParts(job, TEXT_GAP_MS)) {
    if (part.type === 'result') throw broken()
    yield part
  }
}

/**
 * Reads a running Job of another kind to its end, as `readAnswer` does one of text. How large results are and how many is held to
 * where they are metered. `gapMs` is the longest silence between two frames.
 */
export async function* readResults(job: RunningJob, gapMs: number): AsyncGenerator<ResultPart, void> {
  let isOpen = false
  for await (const part of readParts(job, gapMs)) {
    if (part.type === 'delta' || (part.type === 'finish' && isOpen)) throw broken()
    if (part.type === 'result') isOpen = !part.last
    yield part
  }
}

async function* readParts(job: RunningJob | Promise<RunningJob>, gapMs: number): AsyncGenerator<Part, void> {
  const { relay, abandon } = await job
  let delivered = false
  try {
    for (;;) {
      const event = await relay.next(gapMs)
      switch (event.type) {
        case 'delta':
          delivered = true
          yield event
          break
        case 'result':
          delivered ||= event.last
          yield event
          break
        case 'end': {
          if (event.end.outcome !== 'completed')
            throw interrupted('host_failed', 'The Host failed while it worked on the request')
          delivered = true
          const { usage } = event.end
          yield { type: 'finish', reason: event.end.finishReason ?? 'stop', usage }
          return
        }
        case 'silent':
          throw interrupted('host_timeout', 'The Host went silent')
        case 'lost':
          throw interrupted('host_lost', 'The Host was lost')
        case 'accepted':
        case 'refused':
          throw broken()
      }
    }
  } finally {
    relay.close()
    // Its Host's object may not know that the Job was ours: after a restart only time would free the hold.
    if (!delivered) abandon()
  }
}

function broken(): ApiError {
  return interrupted('host_failed', 'The Host broke the protocol')
}

/** A Job that cannot go on, or whose answer is of no use. */
export function interrupted(code: ErrorCode, what: string): ApiError {
  return new ApiError({
    code,
    message: `${what}. Only what was delivered is charged. Send the request again.`,
    retryAfterSeconds: 1,
  })
}
