import type { LanguageModelV4FinishReason, LanguageModelV4Usage } from '@ai-sdk/provider'
import type { CompletionUsage, FinishReason } from '@daisi/protocol/consumer'

/** Why an answer ended, in the AI SDK's words. */
export function finishOf(reason: FinishReason | undefined): LanguageModelV4FinishReason {
  const unified = reason === 'tool_calls' ? 'tool-calls' : (reason ?? 'other')
  return { unified, raw: reason }
}

/** What it took, in the AI SDK's words. */
export function usageOf({
  prompt_tokens,
  completion_tokens,
  prompt_tokens_details,
}: CompletionUsage): LanguageModelV4Usage {
  const { cached_tokens: cacheRead } = prompt_tokens_details
  return {
    inputTokens: {
      total: prompt_tokens,
      noCache: prompt_tokens - cacheRead,
      cacheRead,
      cacheWrite: undefined,
    },
    outputTokens: { total: completion_tokens, text: undefined, reasoning: undefined },
  }
}
