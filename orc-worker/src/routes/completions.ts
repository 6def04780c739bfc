import {
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
import { answerTask, refuseFault } from './answering.ts'

const FIELDS: FieldNames = { prompt: 'prompt', suffix: 'suffix', logitBias: 'logit_bias' }

/** `POST /v1/completions` (rules A11, K1–K3). */
export async function completions(c: AppContext): Promise<Response> {
  const { value: request, text } = await readRequest(c, completionRequest)
  refuseFault(completionFault(request))
  const { model, suffix } = request
  const asked = askedCompletions(request)
  const echoed = asked.map(({ prompt }) =>
    request.echo === true && typeof prompt === 'string' ? prompt : '',
  )
  const id = newId('req').replace('req_', 'cmpl-')
  const identity = { id, created: epochSeconds(Date.now()), model }
  return answerTask(c, text, {
    jobs: asked.map((one) => ({
      kind: 'completion',
      model,
      needs: completionNeeds(request),
      prompt: textSize([one.prompt, suffix ?? '']),
      fields: FIELDS,
      maxTokens: completionTokens(request),
      payload: (granted) => toCompletionPayload(request, one, granted),
    })),
    stream: request.stream === true,
    writer: new CompletionWriter(identity, {
      echoed,
      includeUsage: request.stream_options?.include_usage === true,
    }),
    whole: (answers) => textCompletion(identity, answers, echoed),
  })
}
