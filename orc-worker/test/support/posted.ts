import { env } from 'cloudflare:workers'
import { database } from '../../src/db/client.ts'
import { openLease, postSettlement, postTransfers } from '../../src/db/ledger.ts'
import { newId } from '../../src/domain/ids.ts'
import { type FinishedJob, settlementOf } from '../../src/domain/money/settlement.ts'
import { type LeaseOwner, leaseIdOf, refill } from '../../src/domain/money/transfer.ts'

const db = database(env)

/** Work to put into the book. What is left out is something plausible. */
export interface PostedWork extends Partial<FinishedJob> {
  readonly keyId?: string
}

/** An empty lease of this account. */
export async function newLease(accountId: string): Promise<LeaseOwner> {
  const owner = { leaseId: leaseIdOf(newId('job')), accountId }
  await openLease(db, owner, 'no session', 'no key')
  return owner
}

/** Writes a lease, a refill of it, and the settlement of one Job into the book, as a Session would. Its settlement's id. */
export async function postWork(payer: string, payee: string, work: PostedWork = {}): Promise<string> {
  const { keyId = 'key_none', ...over } = work
  const job: FinishedJob = {
    hostId: `host of ${payee}`,
    payee,
    network: 'public',
    model: 'model',
    usage: { promptTokens: 20, cachedTokens: 5, generatedTokens: 15 },
    promptBytes: 60,
    textBytes: 50,
    endedAt: Date.now(),
    credits: 30,
    ...over,
  }
  const owner = await newLease(payer)
  const id = newId('stl')
  const settlement = settlementOf([job])
  if (job.credits > 0) await posted(postTransfers(db, [refill(id, owner, job.credits)], job.endedAt))
  await posted(postSettlement(db, { id, owner, keyId, settlement }, job.endedAt))
  return id
}

async function posted(outcome: Promise<string>): Promise<void> {
  if ((await outcome) !== 'posted') throw new Error(await outcome)
}
