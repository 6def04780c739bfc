import type { JobUsage } from '@daisi/protocol'

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

/** Bytes of a text in UTF-8. */
export function utf8Length(text: string): number {
  return encoder.encode(text).length
}
