import type { Sampling } from '@daisi/protocol'
import type { Dialect } from './dialect.ts'

/** Seeds are below this: servers keep them in 32 bits and take -1 for "any". */
const SEED_RANGE = 2_147_483_647

/** How tokens are chosen, in the words of a server. What is absent is the server's own default. */
export function samplingFields(sampling: Sampling, dialect: Dialect): object {
  const { temperature, topP, topK, minP, repeatPenalty, logitBias, seed, stop } = sampling
  const { frequencyPenalty, presencePenalty } = sampling
  return {
    ...(temperature !== undefined && { temperature }),
    ...(topP !== undefined && { top_p: topP }),
    ...(topK !== undefined && dialect.topK?.(topK)),
    ...(minP !== undefined && { min_p: minP }),
    ...(repeatPenalty !== undefined && dialect.repeatPenalty?.(repeatPenalty)),
    ...(frequencyPenalty !== undefined && { frequency_penalty: frequencyPenalty }),
    ...(presencePenalty !== undefined && { presence_penalty: presencePenalty }),
    ...(logitBias !== undefined && dialect.logitBias?.(logitBias)),
    ...(seed !== undefined && { seed: seedOf(seed) }),
    ...(stop.length > 0 && { stop }),
  }
}

/** A seed that every server takes. */
export function seedOf(seed: number): number {
  return ((seed % SEED_RANGE) + SEED_RANGE) % SEED_RANGE
}

/**
 * The limit of the answer. Strict servers refuse one that might not fit: they get none, and so go on to the end of the context; the
 * job's own limit is kept by whoever counts the chunks.
 */
export function tokenLimit(maxTokens: number, room: number, { isStrict }: Dialect): object {
  return isStrict && maxTokens > room ? {} : { max_tokens: maxTokens }
}
