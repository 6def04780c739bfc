import type { ChatTurn, JobUsage } from '@daisi/protocol'

/** Tokens that a chat template may add around a whole conversation, at most. */
const TEMPLATE_TOKENS = 64
/** Tokens that a chat template may add around one message, at most. */
const TEMPLATE_TOKENS_PER_MESSAGE = 16
/** The same, as templates usually do. */
const USUAL_TEMPLATE_TOKENS = 32
const USUAL_TEMPLATE_TOKENS_PER_MESSAGE = 8
/** Text has more bytes than this for each token, except for long numbers and noise. English has about four. */
const USUAL_BYTES_PER_TOKEN = 2

const encoder = new TextEncoder()

/**
 * The price of work in credits: prompt tokens evaluated (cached ones are free) plus tokens generated (rule P1). Quote,
 * hold and settlement all come from here.
 */
export function price(usage: JobUsage): number {
  return usage.promptTokens - usage.cachedTokens + usage.generatedTokens
}

/** What a Consumer pays for work: its price, or nothing on Hosts of its own account (rule P3). */
export function charge(usage: JobUsage, isOwnHost: boolean): number {
  return isOwnHost ? 0 : price(usage)
}

/** The most a Job can cost: nothing cached, every token generated. Held before it runs. */
export function hold(promptTokens: number, maxTokens: number): number {
  return price({ promptTokens, cachedTokens: 0, generatedTokens: maxTokens })
}

/** How large a prompt is, as far as can be told without its tokenizer. */
export interface PromptSize {
  /** Bytes of its text in UTF-8. */
  readonly bytes: number
  /** The tokens it is expected to have at most. Credits are held for these; a Host that counts more says so. */
  readonly estimate: number
  /** The tokens it can have at most: every tokenizer in use makes at least one byte of each, and the template adds some. */
  readonly bound: number
}

/** Of a Job whose prompt costs nothing, such as one for images. */
export const NO_PROMPT: PromptSize = { bytes: 0, estimate: 0, bound: 0 }

/** Measures a conversation. */
export function promptSize(messages: readonly ChatTurn[]): PromptSize {
  const bytes = messages.reduce((sum, message) => sum + utf8Length(message.content), 0)
  const usual = USUAL_TEMPLATE_TOKENS + messages.length * USUAL_TEMPLATE_TOKENS_PER_MESSAGE
  return {
    bytes,
    estimate: Math.ceil(bytes / USUAL_BYTES_PER_TOKEN) + usual,
    bound: bytes + TEMPLATE_TOKENS + messages.length * TEMPLATE_TOKENS_PER_MESSAGE,
  }
}

/** Bytes of a text in UTF-8. */
export function utf8Length(text: string): number {
  return encoder.encode(text).length
}
