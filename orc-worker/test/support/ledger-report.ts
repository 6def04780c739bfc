import { NO_USAGE } from '../../src/domain/money/claim.ts'
import type { JobReport } from '../../src/objects/session/types.ts'
import type { Share } from './ledger-commands.ts'

/** What a Consumer asked for. */
export interface AskedFor {
  readonly id: string
  readonly promptTokens: number
  readonly maxTokens: number
}

/** How a Host that belongs to `payee` reports such a Job. */
export function ledgerReport(job: AskedFor, share: Share, payee: string, endedAt: number): JobReport {
  const { id, promptTokens, maxTokens } = job
  const usage = {
    all: { promptTokens, cachedTokens: 0, generatedTokens: maxTokens },
    part: {
      promptTokens,
      cachedTokens: Math.floor(promptTokens / 2),
      generatedTokens: Math.ceil(maxTokens / 2),
    },
    nothing: NO_USAGE,
    beyond: { promptTokens: promptTokens + 100, cachedTokens: 0, generatedTokens: maxTokens + 100 },
  }[share]
  // A model of its own for each Job: so the book tells them apart.
  const work = {
    hostId: `host of ${payee}`,
    payee,
    model: id,
    network: 'public',
    promptBytes: 10,
    textBytes: 10,
  }
  return { jobId: id, ...work, usage, endedAt }
}
