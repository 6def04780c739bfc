import type { Token } from 'node-llama-cpp'

/** What a model reads before it answers, and what ends the answer apart from the end-of-generation tokens. */
export interface Prompt {
  readonly tokens: readonly Token[]
  readonly stopTokens: ReadonlySet<Token>
  readonly stopTexts: readonly string[]
  /** True if the prompt has opened a thought, as some templates do. */
  readonly opensThought: boolean
}
