import type {
  ChatCompletion,
  ChatCompletionChunk,
  CompletionUsage,
  FinishReason as ChatFinishReason,
} from '../consumer/chat.ts'
import type { FinishReason, JobUsage } from '../host/job.ts'

/** What stays the same over all parts of one answer. */
export interface CompletionIdentity {
  readonly id: string
  /** Seconds since the epoch. */
  readonly created: number
  readonly model: string
}

/** The first chunk: the role, no text. */
export function roleChunk(identity: CompletionIdentity): ChatCompletionChunk {
  return chunk(identity, { role: 'assistant', content: '' }, null)
}

/** A piece of the answer's text. */
export function textChunk(identity: CompletionIdentity, text: string): ChatCompletionChunk {
  return chunk(identity, { content: text }, null)
}

/** The chunk that ends the answer. */
export function finishChunk(identity: CompletionIdentity, reason: FinishReason): ChatCompletionChunk {
  return chunk(identity, {}, wordOf(reason))
}

/** The chunk with the token counts. Its `choices` are empty: clients index into the others. */
export function usageChunk(identity: CompletionIdentity, usage: JobUsage): ChatCompletionChunk {
  return { ...identity, object: 'chat.completion.chunk', choices: [], usage: completionUsage(usage) }
}

/** A whole answer. */
export function completion(
  identity: CompletionIdentity,
  text: string,
  reason: FinishReason,
  usage: JobUsage,
): ChatCompletion {
  const message = { role: 'assistant', content: text, refusal: null } as const
  return {
    ...identity,
    object: 'chat.completion',
    choices: [{ index: 0, message, logprobs: null, finish_reason: wordOf(reason) }],
    usage: completionUsage(usage),
  }
}

function chunk(
  identity: CompletionIdentity,
  delta: { role?: 'assistant'; content?: string },
  reason: ChatCompletionChunk['choices'][number]['finish_reason'],
): ChatCompletionChunk {
  return {
    ...identity,
    object: 'chat.completion.chunk',
    choices: [{ index: 0, delta, logprobs: null, finish_reason: reason }],
  }
}

function wordOf(reason: FinishReason): ChatFinishReason {
  return reason === 'tool-calls' ? 'tool_calls' : reason
}

function completionUsage(usage: JobUsage): CompletionUsage {
  return {
    prompt_tokens: usage.promptTokens,
    completion_tokens: usage.generatedTokens,
    total_tokens: usage.promptTokens + usage.generatedTokens,
    prompt_tokens_details: { cached_tokens: usage.cachedTokens },
  }
}
