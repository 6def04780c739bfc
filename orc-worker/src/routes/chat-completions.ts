import {
  type ChatRequest,
  ChatWriter,
  chatCompletion,
  chatFault,
  chatNeeds,
  chatRequest,
  requestedTokens,
  toChatPayload,
} from '@daisi/protocol'
import { newId } from '../domain/ids.ts'
import { chatSize } from '../domain/money/prompt-size.ts'
import { epochSeconds } from '../domain/time.ts'
import type { AppContext } from '../http/context.ts'
import { readRequest } from '../http/request-options.ts'
import type { FieldNames } from '../relay/attempts.ts'
import { type AnswerJob, answerTask, refuseFault } from './answering.ts'

const FIELDS: FieldNames = {
  messages: 'messages',
  prompt: 'messages',
  images: 'messages',
  tools: 'tools',
  toolChoice: 'tool_choice',
  output: 'response_format',
  logitBias: 'logit_bias',
}

/** `POST /v1/chat/completions` (rules A1–A9, K1–K3). */
export async function chatCompletions(c: AppContext): Promise<Response> {
  const { value: request, text } = await readRequest(c, chatRequest)
  const jobs = chatJobs(request)
  const id = newId('req').replace('req_', 'chatcmpl-')
  const identity = { id, created: epochSeconds(Date.now()), model: request.model }
  return answerTask(c, text, {
    jobs,
    stream: request.stream === true,
    writer: new ChatWriter(identity, {
      choices: jobs.length,
      includeUsage: request.stream_options?.include_usage === true,
    }),
    whole: (answers) => chatCompletion(identity, answers),
  })
}

/** What Hosts have to do for this request. Throws `ApiError` if something is wrong with it. */
export function chatJobs(request: ChatRequest): readonly AnswerJob[] {
  refuseFault(chatFault(request))
  const job: Omit<AnswerJob, 'payload'> = {
    kind: 'chat',
    model: request.model,
    needs: chatNeeds(request),
    prompt: chatSize(toChatPayload(request, 1)),
    fields: FIELDS,
    maxTokens: requestedTokens(request),
  }
  return Array.from({ length: request.n ?? 1 }, (_, choice) => ({
    ...job,
    payload: (granted) => toChatPayload(request, granted, choice),
  }))
}
