/** Weight of the newest measurement. */
const NEWEST = 0.3

/** Tokens per second of one stream, smoothed over the last jobs. */
export class SpeedMeter {
  #tokensPerSecond: number | undefined

  get tokensPerSecond(): number | undefined {
    return this.#tokensPerSecond
  }

  add(tokensPerSecond: number): void {
    const before = this.#tokensPerSecond ?? tokensPerSecond
    this.#tokensPerSecond = before + NEWEST * (tokensPerSecond - before)
  }
}
