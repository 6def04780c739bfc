import { DIRECT_REPORT_SECONDS, type DirectReport, type SessionTokenClaims } from '@daisi/protocol'
import { type SharedWindow, TokenWindow } from './token-window.ts'

/** Seconds that a report has on its way to the Orc before it would come too late to be paid. */
const REPORTING_SECONDS = 120

/** Longest work on one job, whatever its token says. Timers take no more than some weeks. */
const LONGEST_WORK_MS = 24 * 60 * 60 * 1000

/** Milliseconds for which a job under this token may go on: what is acknowledged until then is reported in time (D8). */
export function lastWorkMs({ exp }: SessionTokenClaims, nowMs: number): number {
  const lastMs = (exp + DIRECT_REPORT_SECONDS - REPORTING_SECONDS) * 1000
  return Math.max(0, Math.min(lastMs - nowMs, LONGEST_WORK_MS))
}

/** What counts for the pay of one job of a Direct Connection. It outlives the job, until its Consumer acknowledged all. */
export class DirectJob {
  readonly jobId: string
  readonly sessionToken: string
  readonly claims: SessionTokenClaims
  /** Thumbprint of the key of the Consumer. */
  readonly thumbprint: string
  readonly window: TokenWindow
  /** As stated to the Consumer, once the job is accepted. */
  prompt: { readonly promptTokens: number; readonly cachedTokens: number } | undefined
  /** Set when the job is over. */
  receipt: string | undefined
  #acknowledgement: string | undefined
  readonly #listeners = new Set<() => void>()

  /** `shared` is the window of all jobs of the token. */
  constructor(
    jobId: string,
    sessionToken: string,
    claims: SessionTokenClaims,
    thumbprint: string,
    shared: SharedWindow,
  ) {
    this.jobId = jobId
    this.window = new TokenWindow(shared)
    this.sessionToken = sessionToken
    this.claims = claims
    this.thumbprint = thumbprint
  }

  /** The Consumer's highest acknowledgement. */
  get acknowledgement(): string | undefined {
    return this.#acknowledgement
  }

  /** True if the Consumer owes no further acknowledgement. */
  get isAcknowledged(): boolean {
    return this.window.open === 0 && (this.#acknowledgement !== undefined || this.window.sent === 0)
  }

  /**
   * What the Orc is to hear (D8), or undefined if nothing was handed out. Nothing is paid without an acknowledgement, but
   * the Orc can grant less to a Session that gives none.
   */
  get report(): DirectReport | undefined {
    const { jobId, sessionToken, receipt } = this
    const acknowledgement = this.#acknowledgement ?? ''
    if (receipt === undefined || receipt === '' || this.window.sent === 0) return undefined
    return { type: 'direct-report', jobId, sessionToken, acknowledgement, receipt }
  }

  /** Keeps a verified acknowledgement if it says more than the one before (D6). */
  acknowledge(jws: string, generatedTokens: number): void {
    const first = this.#acknowledgement === undefined
    if (!this.window.acknowledge(generatedTokens) && !first) return
    this.#acknowledgement = jws
    for (const listener of this.#listeners) listener()
  }

  /** Calls `listener` after each acknowledgement that says more; returns the function that stops it. */
  onAcknowledged(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}
