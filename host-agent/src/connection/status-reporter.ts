import type { Status } from '@daisi/protocol'
import type { Clock } from '../clock.ts'

/** At most five a second (H4). */
export const STATUS_INTERVAL_MS = 200

/** Sends `status` when it changed, not too often, and always the last one (H4). One per connection. */
export class StatusReporter {
  readonly #read: () => Status
  readonly #send: (status: Status) => void
  readonly #clock: Clock
  #last: string
  #sentAt = Number.NEGATIVE_INFINITY
  #cancelTimer: (() => void) | undefined

  /** `announced` is what the Orc knows from `hello`. */
  constructor(options: {
    readonly clock: Clock
    readonly announced: Status
    readonly read: () => Status
    readonly send: (status: Status) => void
  }) {
    this.#clock = options.clock
    this.#last = essence(options.announced)
    this.#read = options.read
    this.#send = options.send
  }

  /** Something may have changed. */
  notify(): void {
    if (this.#cancelTimer !== undefined) return
    const waitMs = this.#sentAt + STATUS_INTERVAL_MS - this.#clock.now()
    if (waitMs <= 0) this.#report()
    else
      this.#cancelTimer = this.#clock.after(waitMs, () => {
        this.#cancelTimer = undefined
        this.#report()
      })
  }

  stop(): void {
    this.#cancelTimer?.()
  }

  #report(): void {
    const status = this.#read()
    const now = essence(status)
    if (now === this.#last) return
    this.#last = now
    this.#sentAt = this.#clock.now()
    this.#send(status)
  }
}

/** All but the speed, which changes with each job and is worth no message of its own. */
function essence({ freeSlots, accepting, reason, models = [] }: Status): string {
  return JSON.stringify([freeSlots, accepting, reason, models])
}
