import type { DirectReport } from '@daisi/protocol'
import type { Clock } from '../clock.ts'
import type { ReportBook } from './report-book.ts'

/** Reports on their way at once. */
const MOST_ON_THE_WAY = 64

/** Milliseconds after which a report that was not noted is sent again over the same connection. */
export const RESEND_MS = 30_000

/** Sends the reports of one Orc over its live connection until it has noted them (D8). */
export class Reporter {
  readonly #book: ReportBook
  readonly #clock: Clock
  /** Jobs whose last acknowledgement is still waited for. */
  readonly #early = new Set<string>()
  readonly #onTheWay = new Set<string>()
  #send: ((report: DirectReport) => void) | undefined
  #cancelTimer: (() => void) | undefined

  constructor(book: ReportBook, clock: Clock) {
    this.#book = book
    this.#clock = clock
  }

  online(send: (report: DirectReport) => void): void {
    this.offline()
    this.#send = send
    this.#sendAgainLater()
    this.#pump()
  }

  offline(): void {
    this.#send = undefined
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    this.#onTheWay.clear()
  }

  /** A report of this job may still become better. */
  hold(jobId: string): void {
    this.#early.add(jobId)
  }

  /** The report of this job is what it will be. */
  release(jobId: string): void {
    this.#early.delete(jobId)
    this.#pump()
  }

  async noted(jobIds: readonly string[]): Promise<void> {
    for (const jobId of jobIds) this.#onTheWay.delete(jobId)
    await this.#book.forget(jobIds)
    this.#pump()
  }

  #pump(): void {
    const send = this.#send
    if (send === undefined) return
    this.#forgetUnpayable()
    for (const jobId of this.#book.jobIds) {
      if (this.#onTheWay.size >= MOST_ON_THE_WAY) return
      const stored = this.#book.get(jobId)
      if (stored === undefined || this.#early.has(jobId) || this.#onTheWay.has(jobId)) continue
      this.#onTheWay.add(jobId)
      const { payableUntil: _, ...facts } = stored
      send({ type: 'direct-report', ...facts })
    }
  }

  #forgetUnpayable(): void {
    const nowSeconds = this.#clock.now() / 1000
    const late = this.#book.jobIds.filter((jobId) => (this.#book.get(jobId)?.payableUntil ?? 0) < nowSeconds)
    if (late.length > 0) void this.#book.forget(late)
  }

  #sendAgainLater(): void {
    this.#cancelTimer = this.#clock.after(RESEND_MS, () => {
      this.#onTheWay.clear()
      this.#pump()
      this.#sendAgainLater()
    })
  }
}
