import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createLogger } from '../log.ts'
import { newJobId, validClaims } from '../testing/token-signer.ts'
import { DirectJob } from './direct-job.ts'
import { ReportBook } from './report-book.ts'
import { SharedWindow } from './token-window.ts'

/** A job of one token that is over, acknowledged or not. */
function jobOver(isAcknowledged: boolean): DirectJob {
  const claims = validClaims('h'.repeat(43), 'https://orc.test', Date.now())
  const job = new DirectJob(newJobId(), 'token', claims, 'thumbprint', new SharedWindow())
  job.window.handedOut(1)
  job.receipt = 'receipt'
  if (isAcknowledged) job.acknowledge('acknowledgement', 1)
  return job
}

test('[D8] work that nobody acknowledged leaves room for the reports that are paid', async () => {
  const stateFolder = await mkdtemp(join(tmpdir(), 'daisi-book-'))
  onTestFinished(() => rm(stateFolder, { recursive: true, force: true }))
  const book = await ReportBook.open(stateFolder, 'http://127.0.0.1:1', createLogger('silent', 'json'))
  const unpaid = Array.from({ length: 600 }, () => jobOver(false))
  for (const job of unpaid) void book.keep(job)
  expect([book.jobIds.length, book.isFull]).toEqual([500, false])
  const paid = jobOver(true)
  void book.keep(paid)
  const late = unpaid.at(-1)
  late?.acknowledge('acknowledgement', 1)
  if (late !== undefined) void book.keep(late)
  expect([book.has(paid.jobId), book.has(late?.jobId ?? '')]).toEqual([true, true])
  await book.settled()
})
