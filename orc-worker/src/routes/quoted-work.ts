import {
  type ImageRequest,
  type QuotedEndpoint,
  chatRequest,
  completionRequest,
  embeddingRequest,
  imageFault,
  imageNeeds,
  imageRequest,
  imagesTokens,
  messageRequest,
  responsesRequest,
  toEmbeddingPayload,
  toImagePayload,
} from '@daisi/protocol'
import { NO_PROMPT, textSize } from '../domain/money/prompt-size.ts'
import { ApiError } from '../http/errors.ts'
import { parseWith } from '../http/read-json.ts'
import type { JobRequest } from '../relay/attempts.ts'
import type { CountedWork } from '../relay/count-prompt.ts'
import { refuseFault } from './answering.ts'
import { chatJobs } from './chat-completions.ts'
import { completionJobs } from './completions.ts'
import { messageJob } from './messages.ts'
import { responseJobs } from './responses.ts'

/** A Job of a request that is quoted. */
export interface QuotedJob extends Pick<JobRequest, 'kind' | 'model' | 'needs' | 'prompt' | 'fields'> {
  /** Tokens generated at most, or undefined if the request does not say. */
  readonly maxTokens: number | undefined
  /** Tokens generated at least. */
  readonly minTokens: number
  /** The work itself, where a Host can count its prompt. */
  readonly counted?: CountedWork
}

/** The Jobs that a request to this endpoint would become. Throws `ApiError` naming the field of `request` at fault. */
export function quotedJobs(endpoint: QuotedEndpoint, request: unknown): readonly QuotedJob[] {
  try {
    return readers[endpoint](request)
  } catch (error) {
    if (!(error instanceof ApiError) || error.failure.param === undefined) throw error
    throw new ApiError({ ...error.failure, param: `request.${error.failure.param}` })
  }
}

const readers: Readonly<Record<QuotedEndpoint, (request: unknown) => readonly QuotedJob[]>> = {
  'chat.completions': (request) => chatJobs(parseWith(chatRequest, request)).map(quotedText),
  completions: (request) => completionJobs(parseWith(completionRequest, request)).map(quotedText),
  embeddings(request) {
    const parsed = parseWith(embeddingRequest, request)
    const prompt = textSize(toEmbeddingPayload(parsed).input)
    return [{ kind: 'embedding', model: parsed.model, prompt, fields: {}, minTokens: 0, maxTokens: 1 }]
  },
  'images.generations': (request) => [quotedImages(parseWith(imageRequest, request))],
  responses: (request) => responseJobs(parseWith(responsesRequest, request)).map(quotedText),
  messages: (request) => [quotedText(messageJob(parseWith(messageRequest, request)))],
}

function quotedText(job: CountedWork & Pick<QuotedJob, 'maxTokens'>): QuotedJob {
  const { kind, model, needs = [], prompt, fields, maxTokens } = job
  return { kind, model, needs, prompt, fields, maxTokens, minTokens: 1, counted: job }
}

function quotedImages(request: ImageRequest): QuotedJob {
  refuseFault(imageFault(request))
  const tokens = imagesTokens(toImagePayload(request))
  const { model } = request
  const needs = imageNeeds(request)
  return { kind: 'image', model, needs, prompt: NO_PROMPT, fields: {}, minTokens: tokens, maxTokens: tokens }
}
