import type { CompletionUsage } from '@daisi/protocol/consumer'

/** Generated tokens that may be unacknowledged before a Host pauses (rule D5). */
const WINDOW_TOKENS = 64
/** New tokens after which the next acknowledgement is due: half the window, so that an honest Host never waits. */
export const ACKNOWLEDGE_EVERY = 32
/** Bytes that a token can have, by far. A Host that sends more for what it counts fills its reader's memory. */
const BYTES_PER_TOKEN = 1_024

/** What a Host may state at most. */
export interface DeliveryBounds {
  /** Of the prompt, from its bytes. */
  readonly promptTokens: number
  /** Of the answer, as far as the request limits it. */
  readonly maxTokens: number | undefined
  /** Of both together. */
  readonly budget: number
}

/** What is acknowledged of a Job. */
export interface Acknowledged {
  readonly promptTokens: number
  readonly cachedTokens: number
  readonly generatedTokens: number
}

/** What came of one answer, and what of it can be acknowledged (rule D6). Pure. */
export class Delivery {
  readonly #prompt: Omit<Acknowledged, 'generatedTokens'>
  readonly #most: number
  #stated = 0
  #bytes = 0
  #acknowledged = -1

  private constructor(prompt: Omit<Acknowledged, 'generatedTokens'>, most: number) {
    this.#prompt = prompt
    this.#most = most
  }

  /** Begins with the headers of the answer. Undefined where they claim what cannot be. */
  static begin(
    promptTokens: string | null,
    cachedTokens: string | null,
    bounds: DeliveryBounds,
  ): Delivery | undefined {
    const prompt = { promptTokens: count(promptTokens), cachedTokens: count(cachedTokens ?? '0') }
    const most = Math.min(bounds.maxTokens ?? Infinity, bounds.budget - prompt.promptTokens)
    const isPossible =
      prompt.promptTokens <= bounds.promptTokens && prompt.cachedTokens <= prompt.promptTokens && most >= 0
    return isPossible ? new Delivery(prompt, most) : undefined
  }

  /**
   * Takes note of an event: the bytes that its reader is shown, and the generated tokens that its `id` states. False where these cannot be: they
   * fall, exceed what was asked for, or are more than what was shown so far has bytes, by more than a window; or that is more than theirs.
   */
  add(id: string, bytes: number): boolean {
    const stated = id === '' ? 0 : count(id)
    this.#bytes += bytes
    const isPossible =
      stated >= this.#stated &&
      stated <= this.#most &&
      stated <= this.#bytes + WINDOW_TOKENS &&
      this.#bytes <= (stated + WINDOW_TOKENS) * BYTES_PER_TOKEN
    if (isPossible) this.#stated = stated
    return isPossible
  }

  /** Whether anything was shown. */
  get hasText(): boolean {
    return this.#bytes > 0
  }

  /** Whether the usage at the answer's end is what the Host stated until then. */
  matches({
    prompt_tokens: prompt,
    completion_tokens: completion,
    prompt_tokens_details: details,
  }: CompletionUsage): boolean {
    const { promptTokens, cachedTokens } = this.#prompt
    return prompt === promptTokens && completion === this.#stated && details?.cached_tokens === cachedTokens
  }

  /** Never more generated tokens than what was shown has bytes (rules R2, F10). */
  get received(): Acknowledged {
    return { ...this.#prompt, generatedTokens: Math.min(this.#stated, this.#bytes) }
  }

  /** Tokens that came since the last acknowledgement. */
  get fresh(): number {
    return this.received.generatedTokens - Math.max(this.#acknowledged, 0)
  }

  /**
   * What is to be acknowledged now, once: at the first text, then after every 32 tokens, and at the end what is left. Nothing before
   * the first token: what was not delivered is not charged (rule P2).
   */
  due(isEnd: boolean): Acknowledged | undefined {
    const { received, fresh } = this
    const isDue = fresh > 0 && (isEnd || this.#acknowledged < 0 || fresh >= ACKNOWLEDGE_EVERY)
    if (!isDue) return undefined
    this.#acknowledged = received.generatedTokens
    return received
  }
}

/** A whole number, or NaN, which no comparison holds for. */
function count(text: string | null): number {
  return text !== null && /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
}
