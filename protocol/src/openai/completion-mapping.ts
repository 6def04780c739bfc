import type { CompletionRequest } from '../consumer/completions.ts'
import { MAX_COMPLETIONS, unservedCompletionParameters } from '../consumer/completions.schema.ts'
import type { CompletionPayload } from '../host/job-payloads.ts'
import { capability } from '../host/model.ts'
import { type RequestFault, unservedParameter } from '../request-fault.ts'
import { inputTexts } from './input-texts.ts'
import { type ParameterNeed, samplingNeeds, toSampling } from './sampling-mapping.ts'

/** OpenAI's own default, which clients count on to get short answers. */
const DEFAULT_MAX_TOKENS = 16

/** One answer that is asked for. */
export interface AskedCompletion {
  readonly prompt: string | number[]
  /** Its number among the answers to the same prompt. */
  readonly choice: number
}

/** The answers that are asked for, in the order of their choices: all to the first prompt, then all to the second. */
export function askedCompletions({ prompt, n }: CompletionRequest): AskedCompletion[] {
  const answers = Array.from({ length: n ?? 1 }, (_, choice) => choice)
  return inputTexts(prompt).flatMap((text) => answers.map((choice) => ({ prompt: text, choice })))
}

/** Tokens of each answer at most. */
export function completionTokens({ max_tokens: tokens }: CompletionRequest): number {
  return tokens ?? DEFAULT_MAX_TOKENS
}

/** What is wrong with a request whose shape is right, or undefined. */
export function completionFault(request: CompletionRequest): RequestFault | undefined {
  const asked = askedCompletions(request)
  const isText = asked.every(({ prompt }) => typeof prompt === 'string')
  if (asked.length > MAX_COMPLETIONS)
    return invalid('prompt', `Prompts times \`n\` are at most ${MAX_COMPLETIONS}. Send fewer at once.`)
  if (!isText && typeof request.suffix === 'string')
    return invalid('suffix', '`suffix` is for prompts that are text. Send the prompt as text.')
  if (request.echo === true && !isText)
    return unserved('`echo` is served for prompts that are text. Leave it out.')
  if (request.echo === true && typeof request.logprobs === 'number')
    return unserved(
      '`echo` is not served with `logprobs`: prompts have no probabilities. Leave one of them out.',
    )
  return unservedParameter(request as unknown as Record<string, unknown>, unservedCompletionParameters)
}

/** What a Host must be able to do so that no parameter of this request is ignored (rule A9). */
export function completionNeeds(request: CompletionRequest): ParameterNeed[] {
  const needs = samplingNeeds(request)
  if (typeof request.suffix === 'string') needs.push({ parameter: 'suffix', capability: capability.infill })
  if (typeof request.logprobs === 'number')
    needs.push({ parameter: 'logprobs', capability: capability.logprobs })
  return needs
}

/** What the Host is given for one of the answers. */
export function toCompletionPayload(
  request: CompletionRequest,
  { prompt, choice }: AskedCompletion,
  maxTokens: number,
): CompletionPayload {
  return {
    prompt,
    ...(typeof request.suffix === 'string' && { suffix: request.suffix }),
    sampling: toSampling(request, maxTokens, choice),
    ...(typeof request.logprobs === 'number' && { logprobs: request.logprobs }),
  }
}

function invalid(param: string, message: string): RequestFault {
  return { code: 'invalid_request', param, message }
}

function unserved(message: string): RequestFault {
  return { code: 'unsupported_parameter', param: 'echo', message }
}
