import type { Activity } from '../control/agent-status.ts'
import { activityOf } from './activity-of-record.ts'

/** What is remembered for whoever looks later. */
const MOST_REMEMBERED = 200

/** What happens on this Host, one short line each. Never prompts, answers, keys or tokens. */
export class ActivityFeed {
  readonly #listeners = new Set<(activity: Activity) => void>()
  readonly #recent: Activity[] = []
  readonly #now: () => number

  /** `now` in milliseconds since the epoch. */
  constructor(now: () => number) {
    this.#now = now
  }

  /** The last ones, oldest first. */
  get recent(): readonly Activity[] {
    return this.#recent
  }

  note(kind: Activity['kind'], text: string): void {
    const activity = { at: this.#now(), kind, text }
    this.#recent.push(activity)
    if (this.#recent.length > MOST_REMEMBERED) this.#recent.shift()
    for (const listener of this.#listeners) listener(activity)
  }

  /** Takes a line of the log, in JSON, if it is worth it. */
  write(line: string): void {
    if (!line.includes('"event":')) return
    const activity = activityOf(JSON.parse(line) as Record<string, unknown>)
    if (activity !== undefined) this.note(activity.kind, activity.text)
  }

  /** Returns the function that ends it. */
  listen(listener: (activity: Activity) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}
