import { DIRECT_LAST_ACKNOWLEDGEMENT_MS } from '@daisi/protocol'
import type { Clock } from '../clock.ts'
import type { DirectJob } from './direct-job.ts'
import type { ReportBook } from './report-book.ts'
import type { Reporter } from './reporter.ts'

export interface SettlementOptions {
  readonly directJob: DirectJob
  readonly book: ReportBook
  readonly reporter: Reporter
  readonly clock: Clock
  /** The report goes out, now or as soon as the Orc is there. */
  readonly onSettled: () => void
  /** Everything is acknowledged: nothing more will come. */
  readonly onComplete: () => void
}

/**
 * Keeps the report of a job that is over, improves it with each acknowledgement, and lets it go when the last one has come or
 * its time is over (D8). Later ones still count here, and for the pay as long as the Orc has not noted the report. Returns
 * what lets it go at once.
 */
export function settleJob(options: SettlementOptions): () => void {
  const { directJob, book, reporter, clock, onSettled, onComplete } = options
  const { jobId } = directJob
  let isKept = false
  const write = (): void => {
    const isNoted = isKept && !book.has(jobId)
    if (directJob.report === undefined || isNoted) return
    void book.keep(directJob)
    // One without an acknowledgement may find no room.
    isKept = book.has(jobId)
  }
  const keep = (): void => {
    if (directJob.acknowledgement !== undefined) write()
    if (directJob.isAcknowledged) {
      stopListening()
      letGo()
      onComplete()
    } else if (isLetGo) reporter.release(jobId)
  }
  let isLetGo = false
  const letGo = (): void => {
    if (isLetGo) return
    isLetGo = true
    cancelTimer()
    if (directJob.acknowledgement === undefined) write()
    reporter.release(jobId)
    onSettled()
  }
  reporter.hold(jobId)
  const cancelTimer = clock.after(DIRECT_LAST_ACKNOWLEDGEMENT_MS, letGo)
  const stopListening = directJob.onAcknowledged(keep)
  keep()
  return letGo
}
