import type { ErrorCode, FinishReason, JobUsage } from '@daisi/protocol'
import { ApiError } from '../http/errors.ts'
import type { RunningJob } from './dispatch.ts'

/** Longest silence between two frames of a running Job. */
const GAP_TIMEOUT_MS = 60_000

/** The parts of an answer, in order. Exactly one `finish` ends it. */
export type AnswerPart =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'finish'; readonly reason: FinishReason; readonly usage: JobUsage }

/** Reads a running Job to its end. Throws `ApiError` if it does not come to one. Leaving early cancels the Job. */
export async function* readAnswer({ relay, abandon }: RunningJob): AsyncGenerator<AnswerPart, void> {
  let delivered = false
  try {
    for (;;) {
      const event = await relay.next(GAP_TIMEOUT_MS)
      switch (event.type) {
        case 'delta':
          delivered = true
          if (event.text !== '') yield { type: 'text', text: event.text }
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
          throw interrupted('host_failed', 'The Host broke the protocol')
      }
    }
  } finally {
    relay.close()
    // Its Host's object may not know that the Job was ours: after a restart only time would free the hold.
    if (!delivered) abandon()
  }
}

function interrupted(code: ErrorCode, what: string): ApiError {
  return new ApiError({
    code,
    message: `${what}. Only what was delivered is charged. Send the request again.`,
    retryAfterSeconds: 1,
  })
}
