import { DEFAULT_OUTPUT_TOKENS } from '@daisi/protocol'
import { affordableTokens, leaseFree } from '../../domain/lease.ts'
import { holdMs } from '../../domain/deadlines.ts'
import { hold } from '../../domain/price.ts'
import type { SessionBook } from './book.ts'
import { STORAGE_UNAVAILABLE, refusal } from './refusals.ts'
import type { SessionStorage } from './storage.ts'
import type { BeginRequest, Begun, SessionFailure, SessionRecord } from './types.ts'

/** Other Jobs may take what a refill brought; after this many the caller is asked to come again. */
const MAX_REFILLS = 4

/** Reserves credits for a Job from the lease, refilling it from the account where it runs short. */
export async function beginJob(
  request: BeginRequest,
  record: SessionRecord,
  storage: SessionStorage,
  book: SessionBook,
  now: number,
): Promise<Begun | SessionFailure> {
  let accountFree = Number.MAX_SAFE_INTEGER
  for (let refills = 0; refills <= MAX_REFILLS; refills++) {
    // No await between the checks and the reservation: another Job cannot come between.
    const repeated = checkRepetition(request, storage)
    if (repeated !== undefined) return repeated
    const budgetFree = freeBudget(record, storage)
    const affordable = Math.min(accountFree, budgetFree)
    const maxTokens =
      request.maxTokens ?? affordableTokens(affordable, request.promptBound, DEFAULT_OUTPUT_TOKENS)
    const needed = hold(request.promptBound, maxTokens ?? 1)
    if (maxTokens === undefined || needed > affordable)
      return insufficient(needed, affordable, budgetFree < accountFree)
    if (leaseFree(storage.lease()) >= needed) {
      reserve(request, needed, now + holdMs(maxTokens), storage)
      return { ok: true, record, maxTokens, hold: needed }
    }
    const refilled = await book.refill(record, needed, now)
    if (!refilled.ok) accountFree = refilled.available + leaseFree(storage.lease())
  }
  return STORAGE_UNAVAILABLE
}

function reserve(request: BeginRequest, needed: number, expiresAt: number, storage: SessionStorage): void {
  storage.openJob({
    id: request.jobId,
    hold: needed,
    expiresAt,
    key: request.idempotency?.key ?? null,
    digest: request.idempotency?.digest ?? null,
  })
}

function freeBudget(record: SessionRecord, storage: SessionStorage): number {
  if (record.budget === null) return Number.MAX_SAFE_INTEGER
  return Math.max(0, record.budget - storage.totals().credits - storage.lease().held)
}

function insufficient(needed: number, free: number, byBudget: boolean): SessionFailure {
  const source = byBudget ? "the Session's budget has" : 'the account has'
  const remedy = byBudget ? 'open a Session with a larger budget' : 'earn credits with a Host'
  return refusal(
    'insufficient_credits',
    `The request may cost ${needed} credits and ${source} ${free} free. Lower max_tokens or ${remedy}.`,
  )
}

/** What a repeated `Idempotency-Key` is answered (rules K2, K3), or undefined if the Job may run. */
function checkRepetition(request: BeginRequest, storage: SessionStorage): SessionFailure | undefined {
  if (request.idempotency === undefined) return undefined
  const earlier = storage.jobByIdempotencyKey(request.idempotency.key)
  if (earlier === undefined) return undefined
  if (earlier.digest !== request.idempotency.digest) {
    return refusal(
      'idempotency_key_reused',
      'This Idempotency-Key came with another body. Use a fresh key for each request.',
    )
  }
  if (earlier.state === 'open') {
    const message = 'The request with this Idempotency-Key is still running. Wait for its answer.'
    return { ...refusal('request_in_progress', message), retryAfterSeconds: 1 }
  }
  // One that delivered nothing is not remembered (K3).
  const message =
    'The request with this Idempotency-Key was answered. Send it with a fresh key to run it again.'
  return refusal('request_already_processed', message)
}
