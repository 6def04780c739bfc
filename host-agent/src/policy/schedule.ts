import type { ScheduleWindow, Weekday } from '@daisi/protocol'

/** By number of the day, as `Date.getDay` counts. */
const WEEKDAYS: readonly Weekday[] = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']

const DAY_MINUTES = 24 * 60
const MINUTE_MS = 60_000

/** Two weeks: a window can fall into the hour that summer time leaves out, and is then back a week later. */
const SEARCH_MINUTES = 15 * DAY_MINUTES

/** The hours at which a Host works, by the wall clock of its machine. */
export class Schedule {
  /** For each minute of a week, from Sunday 00:00: 1 if the Host works. */
  readonly #minutes: Uint8Array
  readonly #changes: boolean

  /** No windows: always. */
  constructor(windows: readonly ScheduleWindow[]) {
    this.#minutes = new Uint8Array(7 * DAY_MINUTES)
    if (windows.length === 0) this.#minutes.fill(1)
    for (const window of windows) {
      for (const day of window.days) this.#open(WEEKDAYS.indexOf(day), window)
    }
    this.#changes = this.#minutes.includes(0) && this.#minutes.includes(1)
  }

  isOpen(date: Date): boolean {
    const minute = date.getDay() * DAY_MINUTES + date.getHours() * 60 + date.getMinutes()
    return this.#minutes[minute] === 1
  }

  /**
   * When it next opens or closes; undefined if never. Goes forward by real minutes, so that it is right on the days on which
   * the clock is put forward or back, too.
   */
  nextChange(date: Date): Date | undefined {
    if (!this.#changes) return undefined
    const now = this.isOpen(date)
    const firstMinute = Math.floor(date.getTime() / MINUTE_MS) + 1
    for (let minute = firstMinute; minute < firstMinute + SEARCH_MINUTES; minute++) {
      const then = new Date(minute * MINUTE_MS)
      if (this.isOpen(then) !== now) return then
    }
    return undefined
  }

  #open(day: number, { from, to }: ScheduleWindow): void {
    const start = minutesOf(from)
    const end = minutesOf(to)
    if (start === end) return this.#fill(day, 0, DAY_MINUTES)
    if (start < end) return this.#fill(day, start, end)
    this.#fill(day, start, DAY_MINUTES)
    this.#fill((day + 1) % 7, 0, end)
  }

  #fill(day: number, start: number, end: number): void {
    this.#minutes.fill(1, day * DAY_MINUTES + start, day * DAY_MINUTES + end)
  }
}

function minutesOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number)
  return hours * 60 + minutes
}
