import type { JobUsage, OutputPart } from '@daisi/protocol'
import { utf8Length } from './price.ts'

/** Nothing processed, nothing owed. */
export const NO_USAGE: JobUsage = { promptTokens: 0, cachedTokens: 0, generatedTokens: 0 }

/**
 * Tokens of a frame that can be paid for: a token has at least one byte of text, so ids beyond the bytes are a claim
 * without anything delivered.
 */
export function billableTokens(ids: number, textBytes: number): number {
  return Math.min(ids, textBytes)
}

/** Bytes that the syntax around one call may take in the model's own words, its name not included. */
const CALL_SYNTAX_BYTES = 64

/**
 * Bytes that parts of an answer stand for (rule F10). What a model writes around a call is not handed on, so that an allowance for it is
 * counted with its name, which comes once.
 */
export function partBytes(parts: readonly OutputPart[]): number {
  return parts.reduce((sum, part) => {
    if (part.type !== 'tool-call') return sum + utf8Length(part.text)
    const head = part.name === undefined ? 0 : CALL_SYNTAX_BYTES + part.name.length
    return sum + head + utf8Length(part.arguments)
  }, 0)
}

/** What the Orc itself knows of a Job. */
export interface Meter {
  /** The tokens that the prompt can have at most, from its bytes. */
  readonly promptBound: number
  /** Tokens that the Host may process, prompt included (rule T4): what credits are held for. */
  readonly budget: number
  /** The Host's count from `accepted`. */
  readonly promptTokens: number
  readonly cachedTokens: number
  /** Token ids in its frames. */
  readonly sentTokens: number
  /** Those of them that had text and were handed on towards the Consumer: an Orc cannot know what arrives at the far end. */
  readonly deliveredTokens: number
  readonly maxTokens: number
  /** True if this Job goes on where another Host stopped: its prompt was paid for there, and is evaluated anew for free. */
  readonly resumed: boolean
}

/** By how much what a Host signed, or sent without text, goes beyond what the Orc saw. */
export interface Excess {
  readonly promptTokens: number
  readonly generatedTokens: number
}

/** What becomes of a Job's cost. */
export interface WeighedClaim {
  /** What is charged and paid. */
  readonly usage: JobUsage
  /** What was claimed beyond it and is not paid, or undefined. */
  readonly excess: Excess | undefined
}

/**
 * What a Job is charged for: the part on which the Orc's meter and the Host's receipt agree (rule R2). Nothing delivered,
 * nothing charged (P2). `receipt` is undefined when the Host vanished; the meter alone counts then.
 */
export function weighClaim(meter: Meter, receipt: JobUsage | undefined): WeighedClaim {
  const excess = receipt === undefined ? undefined : excessOf(meter, receipt)
  const generatedTokens = Math.min(
    meter.deliveredTokens,
    meter.maxTokens,
    meter.budget,
    receipt?.generatedTokens ?? meter.deliveredTokens,
  )
  if (generatedTokens === 0) return { usage: NO_USAGE, excess }
  if (meter.resumed) return { usage: { ...NO_USAGE, generatedTokens }, excess }
  const claimed = receipt?.promptTokens ?? meter.promptTokens
  const promptTokens = Math.min(claimed, promptLimit(meter, generatedTokens))
  const cachedTokens = Math.min(promptTokens, Math.max(meter.cachedTokens, receipt?.cachedTokens ?? 0))
  return { usage: { promptTokens, cachedTokens, generatedTokens }, excess }
}

/** The most prompt tokens that can be charged: as counted before the answer, as the bytes allow, as the hold covers. */
function promptLimit(meter: Meter, generatedTokens: number): number {
  return Math.max(0, Math.min(meter.promptTokens, meter.promptBound, meter.budget - generatedTokens))
}

function excessOf(meter: Meter, receipt: JobUsage): Excess | undefined {
  // A Host that counts ids without text claims too much as well, by what it sent and by what it signed.
  const generatedTokens = Math.max(receipt.generatedTokens, meter.sentTokens) - meter.deliveredTokens
  const promptTokens = receipt.promptTokens - promptLimit(meter, meter.deliveredTokens)
  if (generatedTokens <= 0 && promptTokens <= 0) return undefined
  return { promptTokens: Math.max(0, promptTokens), generatedTokens: Math.max(0, generatedTokens) }
}

/**
 * What a Job over a Direct Connection is charged for: what the Consumer's running acknowledgement and the Host's receipt
 * agree on. The Orc saw nothing of it; a Host that goes on without acknowledgements works for free.
 */
export function weighAcknowledged(acknowledged: JobUsage, receipt: JobUsage): JobUsage {
  const generatedTokens = Math.min(acknowledged.generatedTokens, receipt.generatedTokens)
  if (generatedTokens === 0) return NO_USAGE
  const promptTokens = Math.min(acknowledged.promptTokens, receipt.promptTokens)
  const cachedTokens = Math.min(promptTokens, Math.max(acknowledged.cachedTokens, receipt.cachedTokens))
  return { promptTokens, cachedTokens, generatedTokens }
}
