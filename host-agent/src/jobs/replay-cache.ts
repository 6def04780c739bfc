import { CLOCK_TOLERANCE_SECONDS } from '../tokens/verify-session-token.ts'

/** Job ids remembered at most: over ten minutes of 150 jobs a second. */
const MOST_JOBS = 100_000

/** Job ids that were seen, by Session, for as long as a token that names them could still be valid (T5). */
export class ReplayCache {
  readonly #sessions = new Map<string, { expiresAtSeconds: number; readonly jobIds: Set<string> }>()
  readonly #most: number
  #size = 0

  constructor(most: number = MOST_JOBS) {
    this.#most = most
  }

  has(sid: string, jobId: string): boolean {
    return this.#sessions.get(sid)?.jobIds.has(jobId) ?? false
  }

  /** Remembers a job; `expiresAtSeconds` is its token's `exp`. False if there is no room, and the job must not run. */
  add(sid: string, jobId: string, expiresAtSeconds: number, nowMs: number): boolean {
    if (this.#size >= this.#most) this.#forgetExpired(nowMs)
    if (this.#size >= this.#most) return false
    const session = this.#sessions.get(sid) ?? { expiresAtSeconds, jobIds: new Set() }
    session.expiresAtSeconds = Math.max(session.expiresAtSeconds, expiresAtSeconds)
    if (!session.jobIds.has(jobId)) this.#size++
    session.jobIds.add(jobId)
    // The order of the map is the order of use, so that the sweep below finds the oldest first.
    this.#sessions.delete(sid)
    this.#sessions.set(sid, session)
    this.#forgetOldest(nowMs)
    return true
  }

  /** Forgets a job that was not run after all. */
  remove(sid: string, jobId: string): void {
    const session = this.#sessions.get(sid)
    if (session?.jobIds.delete(jobId) !== true) return
    this.#size--
    if (session.jobIds.size === 0) this.#sessions.delete(sid)
  }

  /** A little at each call: the oldest Sessions, as long as they are expired. */
  #forgetOldest(nowMs: number): void {
    for (const [sid, session] of this.#sessions) {
      if (!isExpired(session.expiresAtSeconds, nowMs)) return
      this.#forget(sid, session.jobIds.size)
    }
  }

  #forgetExpired(nowMs: number): void {
    for (const [sid, session] of this.#sessions)
      if (isExpired(session.expiresAtSeconds, nowMs)) this.#forget(sid, session.jobIds.size)
  }

  #forget(sid: string, jobs: number): void {
    this.#sessions.delete(sid)
    this.#size -= jobs
  }
}

function isExpired(expiresAtSeconds: number, nowMs: number): boolean {
  return (expiresAtSeconds + CLOCK_TOLERANCE_SECONDS) * 1000 <= nowMs
}
