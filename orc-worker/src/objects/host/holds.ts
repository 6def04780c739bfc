import { logEvent } from '../../log.ts'
import { sessionStub } from '../stubs.ts'
import type { MeteredJob } from './attachments.ts'

/** Holds of running Jobs are renewed this often, in milliseconds: well within the time after which a Session frees one. */
export const RENEW_MS = 60_000

/** Keeps the credits of running Jobs held: a Session frees those of a Job that nobody speaks for. */
export class Holds {
  readonly #env: Env
  /** When the hold of each running Job was renewed last. Lost with the object's memory: it is renewed once more then. */
  #renewedAt = new Map<string, number>()

  constructor(env: Env) {
    this.#env = env
  }

  /** Renews the holds of these Jobs where that is due. `running` is all that run here. Never rejects. */
  async renew(running: readonly MeteredJob[], now: number): Promise<void> {
    this.#renewedAt = new Map(
      running.flatMap(({ jobId }) => {
        const at = this.#renewedAt.get(jobId)
        return at === undefined ? [] : [[jobId, at]]
      }),
    )
    const due = running.filter(({ jobId }) => now - (this.#renewedAt.get(jobId) ?? 0) >= RENEW_MS / 2)
    const sessions = Map.groupBy(due, (job) => job.sessionName)
    await Promise.all([...sessions].map(([name, jobs]) => this.#renewIn(name, jobs, now)))
  }

  async #renewIn(sessionName: string, jobs: readonly MeteredJob[], now: number): Promise<void> {
    const ids = jobs.map(({ jobId }) => jobId)
    try {
      await sessionStub(this.#env, sessionName).renew(ids)
      for (const id of ids) this.#renewedAt.set(id, now)
    } catch (error) {
      logEvent('renewal_failed', { error })
    }
  }
}
