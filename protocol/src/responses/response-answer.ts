import type OpenAI from 'openai'
import type { StreamFailure, WholeAnswer } from '../answer.ts'
import type { ParsedResponsesRequest } from '../consumer/responses.schema.ts'
import type {
  ModelResponse,
  ResponseOutputItem,
  ResponseToolChoice,
  ResponseToolEcho,
  ResponseUsage,
} from '../consumer/responses.ts'
import type { FinishReason, JobUsage } from '../host/job.ts'
import { type ItemPlace, callItem, messageItem, outputText, reasoningItem } from './response-items.ts'

/** What stays the same over all events of one answer. */
export interface ResponseIdentity {
  /** Begins with `resp_`. */
  readonly id: string
  /** Seconds since the epoch. */
  readonly created: number
  readonly request: ParsedResponsesRequest
}

/** How far an answer has come. */
export interface ResponseProgress {
  readonly output: readonly ResponseOutputItem[]
  /** How it ended; absent while it comes. */
  readonly end?: { readonly reason: FinishReason; readonly usage: JobUsage; readonly at: number }
  readonly failure?: StreamFailure
}

/** The whole answer to one request. `now` is in seconds since the epoch. */
export function wholeResponse(
  identity: ResponseIdentity,
  { text, reasoning, calls, logprobs, reason, usage }: WholeAnswer,
  now: number,
): ModelResponse {
  const make: ((place: ItemPlace, status: ResponseOutputItem['status']) => ResponseOutputItem)[] = []
  if (reasoning !== '') make.push((place, status) => reasoningItem(place, [reasoning], status))
  if (text !== '' || (reasoning === '' && calls.length === 0))
    make.push((place, status) => messageItem(place, [outputText(text, logprobs ?? [])], status))
  for (const [number, call] of calls.entries())
    make.push((place, status) => callItem(place, number, call, status))
  const output = make.map((item, outputIndex) => {
    const isCut = reason === 'length' && outputIndex === make.length - 1
    return item({ responseId: identity.id, outputIndex }, isCut ? 'incomplete' : 'completed')
  })
  return modelResponse(identity, { output, end: { reason, usage, at: now } })
}

/** An answer as far as it has come. */
export function modelResponse(
  { id, created, request }: ResponseIdentity,
  { output, end, failure }: ResponseProgress,
): ModelResponse {
  const response: ModelResponse = {
    id,
    object: 'response',
    created_at: created,
    completed_at: end?.reason === 'length' ? null : (end?.at ?? null),
    status: statusOf(end?.reason, failure),
    model: request.model,
    output: [...output],
    usage: end === undefined ? null : responseUsage(end.usage),
    error: failure === undefined ? null : { code: errorCode(failure), message: failure.message },
    incomplete_details: end?.reason === 'length' ? { reason: 'max_output_tokens' } : null,
    instructions: request.instructions ?? null,
    metadata: request.metadata ?? {},
    parallel_tool_calls: request.parallel_tool_calls ?? true,
    temperature: request.temperature ?? null,
    top_p: request.top_p ?? null,
    top_logprobs: request.top_logprobs ?? 0,
    max_output_tokens: request.max_output_tokens ?? null,
    tool_choice: (request.tool_choice ?? 'auto') as ResponseToolChoice,
    tools: toolsOf(request),
    text: { format: request.text?.format ?? { type: 'text' } },
    reasoning: { effort: request.reasoning?.effort ?? null, summary: null },
    user: request.user ?? null,
    store: false,
    background: false,
    truncation: 'disabled',
    previous_response_id: null,
    access_programs: null,
  }
  return response satisfies Published
}

/** Without what clients add themselves, and what is null or undefined where OpenAI leaves it out. */
type Published = Omit<OpenAI.Responses.Response, 'output_text' | 'usage' | 'user' | 'text'>

function statusOf(
  reason: FinishReason | undefined,
  failure: StreamFailure | undefined,
): ModelResponse['status'] {
  if (failure !== undefined) return 'failed'
  if (reason === undefined) return 'in_progress'
  return reason === 'length' ? 'incomplete' : 'completed'
}

function errorCode({ status }: StreamFailure): 'server_error' | 'rate_limit_exceeded' {
  return status === 429 ? 'rate_limit_exceeded' : 'server_error'
}

function toolsOf({ tools }: ParsedResponsesRequest): ResponseToolEcho[] {
  return (tools ?? []).flatMap((tool) => {
    if (tool.type === 'unserved') return []
    const { type, name, description, parameters, strict } = tool
    const echo: ResponseToolEcho = {
      type,
      name,
      description: description ?? null,
      parameters: parameters ?? null,
      strict: strict ?? null,
    }
    return echo satisfies OpenAI.Responses.FunctionTool
  })
}

function responseUsage({ promptTokens, cachedTokens, generatedTokens }: JobUsage): ResponseUsage {
  const usage: ResponseUsage = {
    input_tokens: promptTokens,
    input_tokens_details: { cached_tokens: cachedTokens, cache_write_tokens: 0 },
    output_tokens: generatedTokens,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: promptTokens + generatedTokens,
  }
  return usage satisfies OpenAI.Responses.ResponseUsage
}
