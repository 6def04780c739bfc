import type { JobKind, JobUsage } from '@daisi/protocol'

/** A job that was accepted. */
export interface WorkItem {
  readonly model: string
  readonly kind: JobKind
  /** True if the owner of this Host asked for it. */
  readonly own: boolean
}

/** How a job ended. */
export interface WorkDone extends WorkItem {
  readonly outcome: 'completed' | 'cancelled' | 'failed'
  readonly usage: JobUsage
  /** From its acceptance to its end. */
  readonly durationMs: number
}

/** Totals since the start of the agent. */
export interface WorkTotals {
  readonly jobs: number
  readonly failedJobs: number
  readonly promptTokens: number
  readonly cachedTokens: number
  readonly generatedTokens: number
}

/** Who wants to know about jobs. */
export interface WorkListener {
  began?(item: WorkItem): void
  ended?(done: WorkDone): void
}

const NOTHING: WorkTotals = { jobs: 0, failedJobs: 0, promptTokens: 0, cachedTokens: 0, generatedTokens: 0 }

/** Seconds over which `tokensPerSecond` looks back. */
const WINDOW_SECONDS = 5

/** What this Host has done, and does: counts only, never prompts or answers. */
export class WorkLog {
  readonly #listeners = new Set<WorkListener>()
  readonly #running = new Map<string, number>()
  /** Tokens generated in each of the last seconds; index is the second modulo the window. */
  readonly #seconds = Array.from({ length: WINDOW_SECONDS + 1 }, () => ({ second: -1, tokens: 0 }))
  #totals: WorkTotals = NOTHING

  get totals(): WorkTotals {
    return this.#totals
  }

  /** Jobs that run with a model. */
  running(model: string): number {
    return this.#running.get(model) ?? 0
  }

  /** Returns the function that ends it. */
  listen(listener: WorkListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  began(item: WorkItem): void {
    this.#running.set(item.model, this.running(item.model) + 1)
    for (const listener of this.#listeners) listener.began?.(item)
  }

  /** Tokens of any job. `nowMs` from a clock that does not jump. */
  generated(tokens: number, nowMs: number): void {
    const second = Math.floor(nowMs / 1000)
    const slot = this.#seconds[second % this.#seconds.length]
    if (slot === undefined) return
    if (slot.second !== second) slot.tokens = 0
    slot.second = second
    slot.tokens += tokens
  }

  /** Tokens generated per second over all jobs, in the last whole seconds. */
  tokensPerSecond(nowMs: number): number {
    const now = Math.floor(nowMs / 1000)
    const tokens = this.#seconds
      .filter(({ second }) => second < now && second >= now - WINDOW_SECONDS)
      .reduce((sum, slot) => sum + slot.tokens, 0)
    return tokens / WINDOW_SECONDS
  }

  ended(done: WorkDone): void {
    const left = this.running(done.model) - 1
    if (left > 0) this.#running.set(done.model, left)
    else this.#running.delete(done.model)
    const { usage, outcome } = done
    const before = this.#totals
    this.#totals = {
      jobs: before.jobs + 1,
      failedJobs: before.failedJobs + (outcome === 'failed' ? 1 : 0),
      promptTokens: before.promptTokens + usage.promptTokens,
      cachedTokens: before.cachedTokens + usage.cachedTokens,
      generatedTokens: before.generatedTokens + usage.generatedTokens,
    }
    for (const listener of this.#listeners) listener.ended?.(done)
  }
}
