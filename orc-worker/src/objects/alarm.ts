/** Longest wait between two tries of failing work, in milliseconds. */
const MAX_BACKOFF_MS = 60_000

/** The one alarm of an object, shared by all that must happen later: the earliest time wins. */
export class Alarm {
  readonly #storage: DurableObjectStorage
  #setFor: number | undefined
  #failures = 0
  constructor(storage: DurableObjectStorage) {
    this.#storage = storage
  }

  /** Wakes the object at this time at the latest, in milliseconds since the epoch. */
  async at(time: number): Promise<void> {
    if (this.#setFor === undefined) {
      const stored = (await this.#storage.getAlarm()) ?? Number.POSITIVE_INFINITY
      // Another call may have set it during the wait.
      this.#setFor ??= stored
    }
    if (time >= this.#setFor) return
    this.#setFor = time
    await this.#storage.setAlarm(time)
  }

  /** Call first in the alarm handler. */
  fired(): void {
    this.#setFor = Number.POSITIVE_INFINITY
  }

  /** Wakes again after a growing delay. */
  async retry(now: number): Promise<void> {
    const delayMs = Math.min(MAX_BACKOFF_MS, 1_000 * 2 ** this.#failures++)
    await this.at(now + delayMs)
  }

  /** The work succeeded: the next failure starts with a short delay again. */
  succeeded(): void {
    this.#failures = 0
  }
}
