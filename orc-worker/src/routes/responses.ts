import {
  ResponseWriter,
  type ParsedResponsesRequest,
  responseFault,
  responseNeeds,
  responsePayload,
  responsesRequest,
  wholeResponse,
} from '@daisi/protocol'
import { newId } from '../domain/ids.ts'
import { chatSize } from '../domain/money/prompt-size.ts'
import { epochSeconds } from '../domain/time.ts'
import type { AppContext } from '../http/context.ts'
import { ApiError } from '../http/errors.ts'
import { readRequest } from '../http/request-options.ts'
import { sessionStub } from '../objects/stubs.ts'
import type { FieldNames } from '../relay/attempts.ts'
import { type AnswerJob, answerTask, refuseFault } from './answering.ts'

const FIELDS: FieldNames = {
  messages: 'input',
  prompt: 'input',
  images: 'input',
  tools: 'tools',
  toolChoice: 'tool_choice',
  output: 'text.format',
  logitBias: 'logit_bias',
}

/** `POST /v1/responses` (rule A12). */
export async function postResponse(c: AppContext): Promise<Response> {
  const { value: request, text } = await readRequest(c, responsesRequest)
  const jobs = responseJobs(request)
  const now = (): number => epochSeconds(Date.now())
  const identity = { id: newId('req').replace('req_', 'resp_'), created: now(), request }
  return answerTask(c, text, {
    jobs,
    stream: request.stream === true,
    writer: new ResponseWriter(identity, now),
    whole: ([answer]) => answer && wholeResponse(identity, answer, now()),
  })
}

/** What Hosts have to do for this request. Throws `ApiError` if something is wrong with it. */
export function responseJobs(request: ParsedResponsesRequest): readonly AnswerJob[] {
  refuseFault(responseFault(request))
  return [
    {
      kind: 'chat',
      model: request.model,
      needs: responseNeeds(request),
      prompt: chatSize(responsePayload(request, 1)),
      fields: FIELDS,
      maxTokens: request.max_output_tokens ?? undefined,
      payload: (granted) => responsePayload(request, granted),
    },
  ]
}

/** Whatever asks for a stored answer (rule A12). Throws `ApiError` in any case. */
export async function missingResponse(c: AppContext): Promise<never> {
  const { caller, sessionName } = c.var.consumer
  const authorized = await sessionStub(c.env, sessionName).authorize(caller, 'inference')
  if (!authorized.ok) throw new ApiError(authorized)
  const message =
    'Answers are stored nowhere: they exist only in the reply to POST /v1/responses. Keep what you need of it.'
  throw new ApiError({ code: 'not_found', message })
}
