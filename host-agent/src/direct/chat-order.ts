import {
  chatFault,
  chatNeeds,
  type ChatRequest,
  chatRequest,
  type ChatPayload,
  DEFAULT_OUTPUT_TOKENS,
  type ParameterNeed,
  requestedTokens,
  toChatPayload,
} from '@daisi/protocol'
import { type DirectFailure, failure } from './direct-failure.ts'

/** A chat, read and found to be one that is served here. */
export interface ChatOrder {
  readonly model: string
  readonly payload: ChatPayload
  readonly includeUsage: boolean
  /** Parameters that not every model's server can follow. */
  readonly needs: readonly ParameterNeed[]
}

const decoder = new TextDecoder('utf-8', { fatal: true })

/** Reads the body of a chat request (D4). `tokensLeft` bounds the answer of a request that names no `max_tokens`. */
export function readChat(
  body: Uint8Array,
  tokensLeft: number,
): { readonly ok: true; readonly order: ChatOrder } | DirectFailure {
  const json = parseJson(body)
  if (json === undefined) return failure('invalid_json', 'the body is not JSON in UTF-8')
  const parsed = chatRequest.safeParse(json)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    const path = issue?.path.join('.') ?? ''
    return failure('invalid_request', `${path}: ${issue?.message ?? 'invalid'}`, path)
  }
  const request: ChatRequest = parsed.data
  const fault = chatFault(request)
  if (fault !== undefined) return failure(fault.code, fault.message, fault.param)
  if ((request.n ?? 1) > 1)
    return failure('unsupported_parameter', 'a Host gives one answer to a request: leave `n` out', 'n')
  if (request.stream !== true)
    return failure('invalid_request', 'a Host answers as a stream only: send `stream: true`', 'stream')
  const maxTokens = requestedTokens(request) ?? usualTokens(toChatPayload(request, 1), tokensLeft)
  return {
    ok: true,
    order: {
      model: request.model,
      payload: toChatPayload(request, maxTokens),
      includeUsage: request.stream_options?.include_usage === true,
      needs: chatNeeds(request),
    },
  }
}

/** What is left beside a prompt of the usual size, which has half as many tokens as bytes at most (P4). */
function usualTokens({ messages, tools = [] }: ChatPayload, tokensLeft: number): number {
  const bytes = Buffer.byteLength([...messages.map(({ content }) => content), JSON.stringify(tools)].join(''))
  const prompt = Math.ceil(bytes / 2) + 32 + 8 * messages.length
  return Math.max(1, Math.min(DEFAULT_OUTPUT_TOKENS, tokensLeft - prompt))
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(body))
  } catch {
    return undefined
  }
}
