import { DEFAULT_OUTPUT_TOKENS } from '@daisi/protocol'
import { HOLD_MS } from '../../domain/deadlines.ts'
import { affordableTokens, budgetFree, leaseFree } from '../../domain/money/lease.ts'
import { hold } from '../../domain/money/price.ts'
import { within } from '../../domain/within.ts'
import type { KeyBudget } from '../../db/key-budget.ts'
import type { SessionBook } from './book.ts'
import type { LeaseStore } from './lease-store.ts'
import { STORAGE_UNAVAILABLE, refusal } from './refusals.ts'
import type { BeginRequest, Begun, SessionFailure, SessionRecord } from './types.ts'

/** Other Jobs may take what a refill brought; after this many the caller is asked to come again. */
const MAX_REFILLS = 4
/** Longest that a request waits for the book. A refill that comes later still counts, for the next one. */
const REFILL_TIMEOUT_MS = 10_000

/** Reserves credits for a Job from the lease, refilling it from the account where it runs short. */
export async function beginJob(
  request: BeginRequest,
  record: SessionRecord,
  store: LeaseStore,
  book: SessionBook,
  now: number,
): Promise<Begun | SessionFailure> {
  const { promptTokens } = request
  let accountFree = Number.MAX_SAFE_INTEGER
  let keyLimit: KeyBudget | undefined
  for (let refills = 0; refills <= MAX_REFILLS; refills++) {
    // No await between the checks and the reservation: another Job cannot come between.
    const repeated = checkRepetition(request, store)
    if (repeated !== undefined) return repeated
    if (request.ownOnly) {
      const maxTokens = request.maxTokens ?? DEFAULT_OUTPUT_TOKENS
      reserve(request, 0, now, store)
      return { ok: true, record, maxTokens, budget: hold(promptTokens, maxTokens) }
    }
    const ofBudget = budgetFree(record.budget, store.totals().credits, store.lease().held)
    const affordable = Math.min(accountFree, ofBudget)
    const maxTokens = request.maxTokens ?? affordableTokens(affordable, promptTokens, DEFAULT_OUTPUT_TOKENS)
    const needed = hold(promptTokens, maxTokens ?? 1)
    if (maxTokens === undefined || needed > affordable)
      return { ...insufficient(needed, affordable, ofBudget < accountFree ? 'session' : keyLimit), record }
    if (reserve(request, needed, now, store)) return { ok: true, record, maxTokens, budget: needed }
    const refilled = await within(book.refill(record, needed, now), REFILL_TIMEOUT_MS)
    if (refilled === undefined) return STORAGE_UNAVAILABLE
    if (!refilled.ok) {
      accountFree = refilled.available + leaseFree(store.lease())
      keyLimit = refilled.limit
    }
  }
  return STORAGE_UNAVAILABLE
}

function reserve(request: BeginRequest, needed: number, now: number, store: LeaseStore): boolean {
  const { jobId, idempotency, heldUntil = now + HOLD_MS } = request
  return store.openJob({ id: jobId, hold: needed, expiresAt: heldUntil, idempotency })
}

function insufficient(
  needed: number,
  free: number,
  limit: 'session' | KeyBudget | undefined,
): SessionFailure {
  const [source, remedy] = limited(limit)
  return refusal(
    'insufficient_credits',
    `The request may cost ${needed} credits and ${source} ${free} free. Ask for less (max_tokens; number and size of images) or ${remedy}.`,
  )
}

/** What does not suffice, and what can be done about it. */
function limited(limit: 'session' | KeyBudget | undefined): readonly [string, string] {
  if (limit === undefined) return ['the account has', 'earn credits with a Host']
  if (limit === 'session') return ["the Session's budget has", 'open a Session with a larger budget']
  const { credits, period, resetsAt } = limit
  if (period === null || resetsAt === null) return [`the key's budget of ${credits} has`, 'raise it']
  const source = `the key's budget of ${credits} a ${period} has`
  return [source, `raise it, or wait until it starts anew at ${new Date(resetsAt).toISOString()}`]
}

/** What a repeated `Idempotency-Key` is answered (rules K2, K3), or undefined if the Job may run. */
function checkRepetition({ idempotency }: BeginRequest, store: LeaseStore): SessionFailure | undefined {
  if (idempotency === undefined) return undefined
  const earlier = store.earlierRequest(idempotency.key)
  if (earlier === undefined) return undefined
  if (earlier.digest !== idempotency.digest) {
    return refusal(
      'idempotency_key_reused',
      'This Idempotency-Key came with another body. Use a fresh key for each request.',
    )
  }
  if (earlier.state === 'running') {
    const message = 'The request with this Idempotency-Key is still running. Wait for its answer.'
    return { ...refusal('request_in_progress', message), retryAfterSeconds: 1 }
  }
  // One that delivered nothing is not remembered (K3).
  const message =
    'The request with this Idempotency-Key was answered. Send it with a fresh key to run it again.'
  return refusal('request_already_processed', message)
}
