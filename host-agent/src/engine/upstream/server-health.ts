import { Backoff } from '../../backoff.ts'
import { type Clock, sleep } from '../../clock.ts'

/** Pause between two looks at a server that answers. One that does not is looked at more often at first. */
const POLL_MS = 15_000

/** Asks a server which models it has, by its own names. Throws where it does not answer. */
export type Look = (signal: AbortSignal) => Promise<ReadonlySet<string>>

/** Whether a server answers, and with which models. It is looked at as long as somebody watches. */
export class ServerHealth {
  readonly #look: Look
  readonly #clock: Clock
  readonly #backoff = new Backoff()
  readonly #listeners = new Set<() => void>()
  #models: ReadonlySet<string> = new Set()
  #polling: AbortController | undefined
  #pause = new AbortController()

  constructor(look: Look, clock: Clock) {
    this.#look = look
    this.#clock = clock
  }

  /** True if the server answered the last time and had this model. */
  serves(serverName: string): boolean {
    return this.#models.has(serverName)
  }

  /** Looks now. Throws what the look threw. */
  async look(signal: AbortSignal): Promise<void> {
    this.#set(await this.#look(signal))
  }

  /** Something went wrong with the server: looks again at once. */
  suspect(): void {
    this.#pause.abort()
  }

  /** Calls `listener` when something changes; returns the function that stops it. */
  watch(listener: () => void): () => void {
    this.#listeners.add(listener)
    if (this.#polling === undefined) {
      this.#polling = new AbortController()
      void this.#poll(this.#polling.signal)
    }
    return () => {
      this.#listeners.delete(listener)
      if (this.#listeners.size > 0) return
      this.#polling?.abort()
      this.#polling = undefined
    }
  }

  async #poll(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#pause = new AbortController()
      const pauseMs = this.#models.size > 0 ? POLL_MS : this.#backoff.next()
      await sleep(this.#clock, pauseMs, AbortSignal.any([signal, this.#pause.signal]))
      if (signal.aborted) return
      try {
        await this.look(signal)
        this.#backoff.reset()
      } catch {
        if (!signal.aborted) this.#set(new Set())
      }
    }
  }

  #set(models: ReadonlySet<string>): void {
    const isSame = models.size === this.#models.size && [...models].every((name) => this.#models.has(name))
    this.#models = models
    if (!isSame) for (const listener of this.#listeners) listener()
  }
}
