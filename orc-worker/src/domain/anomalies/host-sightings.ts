import type { JobUsage } from '@daisi/protocol'
import type { Excess, Meter } from '../money/claim.ts'
import type { ReceiptFault } from '../receipt.ts'
import type { Sighting } from './sighting.ts'
import { utcDay } from '../time.ts'

/** A Host's clock may be off by this much: receipts wait in queues, and few clocks are exact. */
const CLOCK_TOLERANCE_MS = 5 * 60_000
/** Jobs in a row that a Host which says it is free may leave. Fewer are a burst that overtook its status. */
const UNTAKEN_JOBS = 10

/** A Host's signed word on one Job. */
export interface SignedClaim {
  readonly hostId: string
  readonly jobId: string
  /** Compact JWS, as it came, checked. */
  readonly receipt: string
}

/** A receipt that was not, or could not be, checked. */
export interface UncheckedClaim {
  readonly hostId: string
  readonly jobId: string
  readonly digest: string
}

/** A receipt that states more than the Orc saw. */
export interface ExceedingClaim extends SignedClaim {
  readonly model: string
  readonly meter: Meter & { readonly textBytes: number }
  readonly claimed: JobUsage
  readonly excess: Excess
}

/** Work for which no credits are held any more. */
export interface UnpaidJob {
  readonly hostId: string
  readonly jobId: string
  readonly model: string
  readonly usage: JobUsage
  readonly endedAt: number
}

/** A Host signed for more than passed through the Orc. One for each Job. */
export function excessClaim(claim: ExceedingClaim, seenAt: number): Sighting {
  const { hostId, jobId, model, claimed, excess, receipt } = claim
  const { promptTokens, cachedTokens, sentTokens, deliveredTokens, textBytes } = claim.meter
  const { promptBound, budget, maxTokens, resumed } = claim.meter
  const counts = { promptTokens, cachedTokens, sentTokens, deliveredTokens, textBytes }
  const limits = { promptBound, budget, maxTokens, resumed }
  const detail = { jobId, model, meter: { ...counts, ...limits }, claimed, excess, receipt }
  return { id: `excess_claim:${jobId}`, kind: 'excess_claim', subject: hostId, seenAt, detail }
}

/**
 * A Host ended a Job with a receipt that does not count. One for each Job. What nobody has checked is not kept, since it may
 * be anything, a prompt for instance: `digest` (SHA-256, base64url) tells the Host's copy.
 */
export function invalidReceipt(claim: UncheckedClaim & { fault: ReceiptFault }, seenAt: number): Sighting {
  const { hostId, jobId, fault, digest } = claim
  const detail = { jobId, reason: fault, digest }
  return { id: `invalid_receipt:${jobId}`, kind: 'invalid_receipt', subject: hostId, seenAt, detail }
}

/** A Host ended a Job that it does not run. One for each Host and hour. */
export function strayReceipt(claim: UncheckedClaim, seenAt: number): Sighting {
  const { hostId, jobId, digest } = claim
  const id = `stray_receipt:${hostId}:${hour(seenAt)}`
  return { id, kind: 'stray_receipt', subject: hostId, seenAt, detail: { jobId, digest } }
}

/** A Host's clock is far from the Orc's, or undefined if it is near enough. One for each Host and day. */
export function clockSkew(claim: SignedClaim & { endedAt: number }, seenAt: number): Sighting | undefined {
  const { hostId, jobId, endedAt, receipt } = claim
  const skewMs = endedAt - seenAt
  if (Math.abs(skewMs) <= CLOCK_TOLERANCE_MS) return undefined
  const id = `clock_skew:${hostId}:${utcDay(seenAt)}`
  const detail = { jobId, skewMs, receipt }
  return { id, kind: 'clock_skew', subject: hostId, seenAt, detail }
}

/** A Host did work that nobody pays, through no fault of its own. One for each Job. */
export function unpaidWork(job: UnpaidJob, seenAt: number): Sighting {
  const { hostId, jobId, model, usage, endedAt } = job
  const detail = { jobId, model, usage, endedAt }
  return { id: `unpaid_work:${jobId}`, kind: 'unpaid_work', subject: hostId, seenAt, detail }
}

/**
 * A Host says that it has room and has left so many Jobs in a row, or undefined while they are few. One for each Host
 * and hour.
 */
export function idleClaim(
  host: { readonly hostId: string; readonly untaken: number; readonly freeSlots: number },
  seenAt: number,
): Sighting | undefined {
  const { hostId, untaken, freeSlots } = host
  if (untaken < UNTAKEN_JOBS) return undefined
  const id = `idle_claim:${hostId}:${hour(seenAt)}`
  return { id, kind: 'idle_claim', subject: hostId, seenAt, detail: { untaken, freeSlots } }
}

/** YYYY-MM-DDTHH, UTC. */
function hour(time: number): string {
  return new Date(time).toISOString().slice(0, 13)
}
