import type { CompletionUsage } from '../consumer/chat.ts'
import type { JobUsage } from '../host/job.ts'

/** What all answers to one request took together, in OpenAI's words. */
export function completionUsage(usages: readonly JobUsage[]): CompletionUsage {
  const sum = (of: keyof JobUsage): number => usages.reduce((total, usage) => total + usage[of], 0)
  const [prompt, generated] = [sum('promptTokens'), sum('generatedTokens')]
  return {
    prompt_tokens: prompt,
    completion_tokens: generated,
    total_tokens: prompt + generated,
    prompt_tokens_details: { cached_tokens: sum('cachedTokens') },
  }
}
