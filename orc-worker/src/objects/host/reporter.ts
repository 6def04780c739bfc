import { unpaidWork } from '../../domain/anomalies/host-sightings.ts'
import { logEvent } from '../../log.ts'
import type { Alarm } from '../alarm.ts'
import type { JobReport } from '../session/types.ts'
import { sessionStub } from '../stubs.ts'
import type { SightingOutbox } from './sighting-outbox.ts'
import type { HostStorage, UnreportedJob } from './storage.ts'

/**
 * Hands finished Jobs to their Sessions, each at least once; a Session counts each once. One round at a time: Jobs that end
 * meanwhile go together in the next. What cannot be reported waits in storage and is tried again by alarm.
 */
export class Reporter {
  readonly #env: Env
  readonly #storage: HostStorage
  readonly #alarm: Alarm
  readonly #outbox: SightingOutbox
  #running: Promise<void> | undefined
  #next: Promise<void> | undefined

  constructor(env: Env, storage: HostStorage, alarm: Alarm, outbox: SightingOutbox) {
    this.#env = env
    this.#storage = storage
    this.#alarm = alarm
    this.#outbox = outbox
  }

  /** Resolves when every Job that had ended by now is reported, or noted to be tried again. Never rejects. */
  report(): Promise<void> {
    if (this.#running === undefined) return this.#start()
    // What ended after the running round began waits for the next, which all who ask meanwhile share.
    this.#next ??= this.#running.then(() => {
      this.#next = undefined
      return this.#start()
    })
    return this.#next
  }

  #start(): Promise<void> {
    this.#running = this.#round()
      .catch((error: unknown) => logEvent('report_failed', { error }))
      .finally(() => {
        this.#running = undefined
      })
    return this.#running
  }

  async #round(): Promise<void> {
    const sessions = Map.groupBy(this.#storage.unreported(Date.now()), (job) => job.sessionName)
    const outcomes = await Promise.all([...sessions].map(([name, jobs]) => this.#deliver(name, jobs)))
    if (outcomes.every(Boolean)) this.#alarm.succeeded()
    else await this.#alarm.retry(Date.now())
  }

  async #deliver(sessionName: string, jobs: readonly UnreportedJob[]): Promise<boolean> {
    try {
      const { unknown } = await sessionStub(this.#env, sessionName).finish(jobs.map(reportOf))
      const unpaid = jobs.filter(({ jobId, usage }) => unknown.includes(jobId) && usage.generatedTokens > 0)
      this.#storage.reported(jobs.map(({ jobId }) => jobId))
      await this.#outbox.note(...unpaid.map((report) => unpaidWork(report, Date.now())))
      return true
    } catch (error) {
      logEvent('report_failed', { error })
      return false
    }
  }
}

/** What the Session is told: the row without its own name. */
function reportOf(job: UnreportedJob): JobReport {
  const { sessionName: _, ...report } = job
  return report
}
