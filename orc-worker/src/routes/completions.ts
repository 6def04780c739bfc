import {
  type CompletionRequest,
  CompletionWriter,
  askedCompletions,
  completionFault,
  completionNeeds,
  completionRequest,
  completionTokens,
  textCompletion,
  toCompletionPayload,
} from '@daisi/protocol'
import { newId } from '../domain/ids.ts'
import { textSize } from '../domain/money/prompt-size.ts'
import { epochSeconds } from '../domain/time.ts'
import type { AppContext } from '../http/context.ts'
import { readRequest } from '../http/request-options.ts'
import type { FieldNames } from '../relay/attempts.ts'
import { type AnswerJob, answerTask, refuseFault } from './answering.ts'

const FIELDS: FieldNames = { prompt: 'prompt', suffix: 'suffix', logitBias: 'logit_bias' }

/** `POST /v1/completions` (rules A11, K1–K3). */
export async function completions(c: AppContext): Promise<Response> {
  const { value: request, text } = await readRequest(c, completionRequest)
  const jobs = completionJobs(request)
  const echoed = askedCompletions(request).map(({ prompt }) =>
    request.echo === true && typeof prompt === 'string' ? prompt : '',
  )
  const id = newId('req').replace('req_', 'cmpl-')
  const identity = { id, created: epochSeconds(Date.now()), model: request.model }
  return answerTask(c, text, {
    jobs,
    stream: request.stream === true,
    writer: new CompletionWriter(identity, {
      echoed,
      includeUsage: request.stream_options?.include_usage === true,
    }),
    whole: (answers) => textCompletion(identity, answers, echoed),
  })
}

/** What Hosts have to do for this request. Throws `ApiError` if something is wrong with it. */
export function completionJobs(request: CompletionRequest): readonly AnswerJob[] {
  refuseFault(completionFault(request))
  const { model, suffix } = request
  const needs = completionNeeds(request)
  return askedCompletions(request).map((one) => ({
    kind: 'completion',
    model,
    needs,
    prompt: textSize([one.prompt, suffix ?? '']),
    fields: FIELDS,
    maxTokens: completionTokens(request),
    payload: (granted) => toCompletionPayload(request, one, granted),
  }))
}
