import { join } from 'node:path'
import { count, DIRECT_REPORT_SECONDS, directReport } from '@daisi/protocol'
import * as z from 'zod'
import type { Logger } from '../log.ts'
import { readJsonFile, writeJsonFile } from '../state/json-file.ts'
import { orcFileName } from '../state/orc-record.ts'
import type { DirectJob } from './direct-job.ts'

/** Reports that wait at most. When there are more, no further job begins: none may be lost. */
const MOST_REPORTS = 1_000

/** Reports of work that was not acknowledged are not worth anything: they take no more than this of the room. */
const MOST_UNPAID = MOST_REPORTS / 2

/** Revoked tokens that are remembered at most; an Orc that revokes more loses the oldest. */
const MOST_REVOKED = 10_000

/** Seconds for which a revoked token is remembered: no Session, and so no token, lives longer than a day. */
const REVOKED_SECONDS = 24 * 60 * 60 + 60

const storedReport = directReport.omit({ type: true }).extend({
  /** Seconds since the epoch. After it the Orc pays nothing (D8). */
  payableUntil: count,
})
const storedBook = z.object({
  reports: z.array(storedReport),
  /** Token ids, and the second until which each is remembered. */
  revoked: z.array(z.tuple([z.string(), count])),
})
export type StoredReport = z.infer<typeof storedReport>

/**
 * What one Orc still has to hear about jobs of Direct Connections (D8), and which tokens it revoked (D9). On disk, so that no
 * end of this process loses it; it holds tokens, acknowledgements and receipts, and nothing of prompts and answers.
 */
export class ReportBook {
  readonly #path: string
  readonly #logger: Logger
  readonly #reports = new Map<string, StoredReport>()
  readonly #revoked: Map<string, number>
  #dirty = false
  #writing: Promise<void> | undefined

  private constructor(path: string, stored: z.infer<typeof storedBook>, logger: Logger) {
    this.#path = path
    this.#logger = logger
    for (const report of stored.reports) this.#reports.set(report.jobId, report)
    this.#revoked = new Map(stored.revoked)
  }

  /** Opens the book of the Orc at `url`. Throws a `FatalError` for a broken file. */
  static async open(stateFolder: string, url: string, logger: Logger): Promise<ReportBook> {
    const path = join(stateFolder, 'direct', `${orcFileName(url)}.json`)
    const stored = (await readJsonFile(path, storedBook)) ?? { reports: [], revoked: [] }
    return new ReportBook(path, stored, logger)
  }

  get isFull(): boolean {
    return this.#reports.size >= MOST_REPORTS
  }

  has(jobId: string): boolean {
    return this.#reports.has(jobId)
  }

  get(jobId: string): StoredReport | undefined {
    return this.#reports.get(jobId)
  }

  /** The jobs to report, oldest first. */
  get jobIds(): readonly string[] {
    return [...this.#reports.keys()]
  }

  /** Keeps what a job that is over has to be reported with, and each better acknowledgement. Resolves when it is on disk. */
  keep(job: DirectJob): Promise<void> {
    const { report } = job
    if (report === undefined) return this.settled()
    const isUnpaid = report.acknowledgement === ''
    if (isUnpaid && this.#reports.size >= MOST_UNPAID) return this.settled()
    const { type: _, ...facts } = report
    this.#reports.set(job.jobId, { ...facts, payableUntil: job.claims.exp + DIRECT_REPORT_SECONDS })
    return this.#save()
  }

  /** The Orc has noted them, or will never pay them. */
  forget(jobIds: readonly string[]): Promise<void> {
    const known = jobIds.filter((jobId) => this.#reports.delete(jobId))
    return known.length === 0 ? this.settled() : this.#save()
  }

  /** Remembers revoked tokens for longer than they live. An Orc names them again at each connection. */
  revoke(tokenIds: readonly string[], nowMs: number): Promise<void> {
    if (tokenIds.every((tokenId) => this.#revoked.has(tokenId))) return this.settled()
    const nowSeconds = Math.floor(nowMs / 1000)
    for (const [tokenId, until] of this.#revoked) if (until < nowSeconds) this.#revoked.delete(tokenId)
    for (const tokenId of tokenIds) this.#revoked.set(tokenId, nowSeconds + REVOKED_SECONDS)
    for (const tokenId of this.#revoked.keys()) {
      if (this.#revoked.size <= MOST_REVOKED) break
      this.#revoked.delete(tokenId)
    }
    return this.#save()
  }

  isRevoked(tokenId: string): boolean {
    return this.#revoked.has(tokenId)
  }

  /** Resolves when everything is on disk. */
  async settled(): Promise<void> {
    await this.#writing
  }

  /** One write at a time; what changes meanwhile goes into the next one together. */
  #save(): Promise<void> {
    this.#dirty = true
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined
    })
    return this.#writing
  }

  async #write(): Promise<void> {
    while (this.#dirty) {
      this.#dirty = false
      const stored = { reports: [...this.#reports.values()], revoked: [...this.#revoked] }
      try {
        await writeJsonFile(this.#path, stored)
      } catch (error) {
        // Still in memory: a full disk costs the pay only if this process ends as well.
        this.#logger.error({ err: error }, 'reports of Direct Connections could not be stored')
      }
    }
  }
}
