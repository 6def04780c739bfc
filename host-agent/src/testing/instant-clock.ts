import type { Clock } from '../clock.ts'

/** A clock on which every wait is over at once, and which remembers how long each was. */
export class InstantClock implements Clock {
  readonly waitsMs: number[] = []
  #now: number

  constructor(now = Date.now()) {
    this.#now = now
  }

  now(): number {
    return this.#now
  }

  after(delayMs: number, callback: () => void): () => void {
    this.waitsMs.push(delayMs)
    const immediate = setImmediate(() => {
      this.#now += delayMs
      callback()
    })
    return () => clearImmediate(immediate)
  }
}
