/** How tokens are chosen, in chats and completions alike. What is left out is the model's own default. */
export interface TokenSampling {
  /** 0–2. Without it the model's own default counts, and without one 1. */
  readonly temperature?: number | null | undefined
  /** 0–1. Without it the model's own default counts, and without one 1. */
  readonly top_p?: number | null | undefined
  /** Up to four strings before which the answer ends. */
  readonly stop?: string | readonly string[] | null | undefined
  /** Same seed, same Host, same request: same answer. */
  readonly seed?: number | null | undefined
  /** -2–2: taken from a token's logit for each time that the answer has it. */
  readonly frequency_penalty?: number | null | undefined
  /** -2–2: taken from a token's logit if the answer has it. */
  readonly presence_penalty?: number | null | undefined
  /** Added to the logits of tokens, by id in the model's own vocabulary: -100–100. */
  readonly logit_bias?: Readonly<Record<string, number>> | null | undefined
  /** Only so many most likely tokens are considered; 0 or -1: all. Not OpenAI's, as the next three. */
  readonly top_k?: number | null | undefined
  /** 0–1: only tokens at least this times as likely as the most likely one are considered. */
  readonly min_p?: number | null | undefined
  /** Divides the logits of tokens that were there lately. 1: off. */
  readonly repeat_penalty?: number | null | undefined
  /** Another name of `repeat_penalty`, which counts where both stand. */
  readonly repetition_penalty?: number | null | undefined
}
