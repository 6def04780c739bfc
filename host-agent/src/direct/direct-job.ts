import type { DirectReport, SessionTokenClaims } from '@daisi/protocol'
import { TokenWindow } from './token-window.ts'

/** What counts for the pay of one job of a Direct Connection. It outlives the job, until its Consumer acknowledged all. */
export class DirectJob {
  readonly jobId: string
  readonly sessionToken: string
  readonly claims: SessionTokenClaims
  /** Thumbprint of the key of the Consumer. */
  readonly thumbprint: string
  readonly window = new TokenWindow()
  /** As stated to the Consumer, once the job is accepted. */
  prompt: { readonly promptTokens: number; readonly cachedTokens: number } | undefined
  /** Set when the job is over. */
  receipt: string | undefined
  #acknowledgement: string | undefined
  readonly #listeners = new Set<() => void>()

  constructor(jobId: string, sessionToken: string, claims: SessionTokenClaims, thumbprint: string) {
    this.jobId = jobId
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

  /** What the Orc is to hear (D8), or undefined if nothing was acknowledged, so that nothing is paid. */
  get report(): DirectReport | undefined {
    const { jobId, sessionToken, receipt } = this
    const acknowledgement = this.#acknowledgement
    if (receipt === undefined || receipt === '' || acknowledgement === undefined) return undefined
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
