import type { ChatTurn, JobUsage } from '@daisi/protocol'

/** Tokens that a chat template may add around a whole conversation, at most. */
const TEMPLATE_TOKENS = 64
/** Tokens that a chat template may add around one message, at most. */
const TEMPLATE_TOKENS_PER_MESSAGE = 16

const encoder = new TextEncoder()

/**
 * The price of work in credits: prompt tokens evaluated (cached ones are free) plus tokens generated (rule P1). Quote,
 * hold and settlement all come from here.
 */
export function price(usage: JobUsage): number {
  return usage.promptTokens - usage.cachedTokens + usage.generatedTokens
}

/**
 * The most tokens a prompt can have: every tokenizer in use makes at least one byte of each token, and the template adds
 * a stated overhead.
 */
export function promptTokenBound(messages: readonly ChatTurn[]): number {
  let bytes = 0
  for (const message of messages) bytes += encoder.encode(message.content).length
  return bytes + TEMPLATE_TOKENS + messages.length * TEMPLATE_TOKENS_PER_MESSAGE
}

/** The most a Job can cost: nothing cached, every token generated. */
export function hold(promptBound: number, maxTokens: number): number {
  return price({ promptTokens: promptBound, cachedTokens: 0, generatedTokens: maxTokens })
}

/**
 * Tokens of a frame that can be paid for: a token has at least one byte of text, so ids beyond the bytes are a claim
 * without anything delivered.
 */
export function billableTokens(frame: {
  readonly tokenIds: readonly number[]
  readonly text: string
}): number {
  return Math.min(frame.tokenIds.length, encoder.encode(frame.text).length)
}

/** What the Orc itself knows of a Job. */
export interface Meter {
  /** Bound of the prompt's tokens, from its bytes. */
  readonly promptBound: number
  /** The Host's count from `accepted`. */
  readonly promptTokens: number
  readonly cachedTokens: number
  /** Tokens handed on towards the Consumer: an Orc cannot know what arrives at the far end. */
  readonly deliveredTokens: number
  readonly maxTokens: number
}

/**
 * What a Job is charged for: the part on which the Orc's meter and the Host's receipt agree (R2). Nothing delivered,
 * nothing charged (P2). `receipt` is undefined when the Host vanished; the meter alone counts then.
 */
export function billableUsage(meter: Meter, receipt: JobUsage | undefined): JobUsage {
  const generatedTokens = Math.min(
    meter.deliveredTokens,
    meter.maxTokens,
    receipt?.generatedTokens ?? Number.MAX_SAFE_INTEGER,
  )
  if (generatedTokens === 0) return { promptTokens: 0, cachedTokens: 0, generatedTokens: 0 }
  const claimed = receipt?.promptTokens ?? meter.promptTokens
  const promptTokens = Math.min(claimed, meter.promptTokens, meter.promptBound)
  const cachedTokens = Math.min(promptTokens, Math.max(meter.cachedTokens, receipt?.cachedTokens ?? 0))
  return { promptTokens, cachedTokens, generatedTokens }
}
