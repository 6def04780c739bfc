import type { Clock } from '../clock.ts'

/** How far a download is. */
export interface DownloadProgress {
  /** `waiting`: another download of the same file runs. `verifying`: the hash is computed. */
  readonly phase: 'waiting' | 'downloading' | 'verifying'
  /** Bytes that are there, or that are verified. */
  readonly bytes: number
  readonly totalBytes: number
  /** Over the last seconds; 0 until it can be told. */
  readonly bytesPerSecond: number
  /** Absent until it can be told. */
  readonly etaSeconds?: number
}

/** Speed is taken over so long. */
const WINDOW_MS = 5_000

/** Tells how far a phase is: at its start, at its end, and in between every `everyMs` at most. */
export class ProgressMeter {
  readonly #clock: Clock
  readonly #everyMs: number
  readonly #listener: (progress: DownloadProgress) => void
  #samples: { readonly at: number; readonly bytes: number }[] = []
  #phase: DownloadProgress['phase'] = 'waiting'
  #totalBytes = 0

  constructor(clock: Clock, everyMs: number, listener: (progress: DownloadProgress) => void) {
    this.#clock = clock
    this.#everyMs = everyMs
    this.#listener = listener
  }

  begin(phase: DownloadProgress['phase'], bytes: number, totalBytes: number): void {
    this.#phase = phase
    this.#totalBytes = totalBytes
    this.#samples = []
    this.#report(this.#clock.now(), bytes)
  }

  update(bytes: number): void {
    const now = this.#clock.now()
    const last = this.#samples.at(-1)
    if (bytes < this.#totalBytes && last !== undefined && now - last.at < this.#everyMs) return
    this.#report(now, bytes)
  }

  #report(now: number, bytes: number): void {
    // A server that cannot go on where it stopped starts over: what was counted before says nothing.
    const kept = this.#samples.filter(({ at, bytes: then }) => now - at <= WINDOW_MS && then <= bytes)
    this.#samples = [...kept, { at: now, bytes }]
    const first = this.#samples[0]
    const passedMs = first === undefined ? 0 : now - first.at
    const speed = first === undefined || passedMs === 0 ? 0 : ((bytes - first.bytes) * 1_000) / passedMs
    this.#listener({
      phase: this.#phase,
      bytes,
      totalBytes: this.#totalBytes,
      bytesPerSecond: Math.round(speed),
      ...(speed > 0 && { etaSeconds: Math.ceil((this.#totalBytes - bytes) / speed) }),
    })
  }
}
