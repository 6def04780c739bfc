import { type ChatPayload, type CompletionPayload, capability } from '@daisi/protocol'
import type { Config } from '../config.ts'
import { newId } from '../domain/ids.ts'
import { ApiError, STATUS } from '../http/errors.ts'
import type { Caller } from '../objects/session/types.ts'
import { sessionStub } from '../objects/stubs.ts'
import { readAnswer } from './answer.ts'
import type { JobRequest } from './attempts.ts'
import { dispatchJob } from './dispatch.ts'

/** Longest that a Consumer waits for a count, in milliseconds. An estimate comes sooner. */
const TIMEOUT_MS = 10_000

/** A prompt, as it would be sent to a Host. */
export interface CountedWork extends Pick<JobRequest, 'model' | 'needs' | 'prompt' | 'fields' | 'options'> {
  readonly kind: 'chat' | 'completion'
  payload(granted: number): ChatPayload | CompletionPayload
}

/** Who asks. */
export interface CountCaller {
  readonly caller: Caller
  readonly sessionName: string
  readonly config: Config
  readonly signal: AbortSignal
}

/**
 * Has a Host count a prompt, which is free (rule J10), or answers undefined where none can at the moment. Throws `ApiError` if the caller may not
 * ask for this, or if the Host finds the request itself at fault.
 */
export async function countPrompt(
  work: CountedWork,
  { caller, sessionName, config, signal }: CountCaller,
  env: Env,
): Promise<number | undefined> {
  const { model, prompt, needs = [], options } = work
  const session = sessionStub(env, sessionName)
  const job: JobRequest = {
    ...work,
    ...(options && { options: { ...options, waitMs: 0 } }),
    needs: [...needs, { parameter: 'countOnly', capability: capability.countOnly }],
    payload: (granted) => ({ ...work.payload(granted), countOnly: true }),
    sessionName,
    async reserve() {
      const jobId = newId('job')
      const terms = { promptTokens: prompt.bound, maxTokens: 1, ownOnly: true, idempotency: undefined }
      const begun = await session.begin({ caller, jobId, model, ...terms })
      if (!begun.ok) return begun
      // Nothing is held and nothing will be paid: whatever the Host says at the end, the Session knows of no such Job.
      await session.abandon(jobId)
      return { ok: true, jobId, begun, free: async () => undefined }
    },
    waitUntil: () => undefined,
    signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
  }
  try {
    const running = await dispatchJob(job, env, config)
    for await (const part of readAnswer(running)) if (part.type === 'finish') break
    const { promptTokens } = running.accepted
    // A Host's word counts only where it can be true.
    return promptTokens <= prompt.bound ? promptTokens : undefined
  } catch (error) {
    if (error instanceof ApiError && isNobodyThere(error)) return undefined
    throw error
  }
}

function isNobodyThere({ failure: { code } }: ApiError): boolean {
  return code === 'unsupported_parameter' || (STATUS[code] > 500 && code !== 'storage_unavailable')
}
