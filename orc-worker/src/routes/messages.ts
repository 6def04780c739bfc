import {
  type MessagePrompt,
  type MessageRequest,
  MessageWriter,
  countTokensRequest,
  messageFault,
  messageNeeds,
  messagePayload,
  messageRequest,
  wholeMessage,
} from '@daisi/protocol'
import { newId } from '../domain/ids.ts'
import { chatSize } from '../domain/money/prompt-size.ts'
import type { AppContext } from '../http/context.ts'
import { ApiError } from '../http/errors.ts'
import { hostsOf, readRequest } from '../http/request-options.ts'
import type { FieldNames } from '../relay/attempts.ts'
import { countPrompt } from '../relay/count-prompt.ts'
import { type AnswerJob, answerTask, refuseFault } from './answering.ts'

const FIELDS: FieldNames = {
  messages: 'messages',
  prompt: 'messages',
  images: 'messages',
  tools: 'tools',
  toolChoice: 'tool_choice',
  output: 'output_config.format',
}

/** `POST /v1/messages` (rule A13). */
export async function postMessage(c: AppContext): Promise<Response> {
  const { value: request, text } = await readRequest(c, messageRequest)
  const identity = {
    id: newId('req').replace('req_', 'msg_'),
    model: request.model,
    requestId: c.var.requestId,
  }
  return answerTask(c, text, {
    jobs: [messageJob(request)],
    stream: request.stream === true,
    writer: new MessageWriter(identity),
    whole: ([answer]) => answer && wholeMessage(identity, answer),
  })
}

/** `POST /v1/messages/count_tokens` (rule A13). */
export async function countMessageTokens(c: AppContext): Promise<Response> {
  const { value: request } = await readRequest(c, countTokensRequest)
  const { caller, sessionName, config } = c.var.consumer
  const from = { caller, sessionName, config, signal: c.req.raw.signal }
  const tokens = await countPrompt({ ...messageJob(request), ...hostsOf(c) }, from, c.env)
  if (tokens === undefined) throw nobodyCounts()
  return c.json({ input_tokens: tokens })
}

/** What a Host has to do for this request. Throws `ApiError` if something is wrong with it. */
export function messageJob(request: MessagePrompt & Partial<MessageRequest>): AnswerJob {
  refuseFault(messageFault(request))
  return {
    kind: 'chat',
    model: request.model,
    needs: messageNeeds(request),
    prompt: chatSize(messagePayload(request, 1)),
    fields: FIELDS,
    maxTokens: request.max_tokens,
    payload: (granted) => messagePayload(request, granted),
  }
}

function nobodyCounts(): ApiError {
  const message =
    'No Host that is online can count this prompt at the moment. Try again, or send it: the answer says how long it was.'
  return new ApiError({ code: 'no_host_available', message })
}
