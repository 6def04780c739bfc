import {
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
  refuseFault(chatFault(request))
  const { model } = request
  const choices = request.n ?? 1
  const id = newId('req').replace('req_', 'chatcmpl-')
  const identity = { id, created: epochSeconds(Date.now()), model }
  const payload = toChatPayload(request, 1)
  const job: Omit<AnswerJob, 'payload'> = {
    kind: 'chat',
    model,
    needs: chatNeeds(request),
    prompt: chatSize(payload),
    fields: FIELDS,
    maxTokens: requestedTokens(request),
  }
  return answerTask(c, text, {
    jobs: Array.from({ length: choices }, (_, choice) => ({
      ...job,
      payload: (granted) => toChatPayload(request, granted, choice),
    })),
    stream: request.stream === true,
    writer: new ChatWriter(identity, {
      choices,
      includeUsage: request.stream_options?.include_usage === true,
    }),
    whole: (answers) => chatCompletion(identity, answers),
  })
}
