import { DAY_MS, utcDay } from './time.ts'
/** Days that a report covers when its caller names no range. */
const DEFAULT_DAYS = 30
/** Days that a report may cover. */
const MAX_DAYS = 366

/** Days in UTC, both included, as YYYY-MM-DD. */
export interface DayRange {
  readonly from: string
  readonly to: string
}

/** A range, or the parameter at fault and why. */
export type DayRangeResult =
  | { readonly ok: true; readonly range: DayRange }
  | { readonly ok: false; readonly param: 'from' | 'to'; readonly message: string }

/** The days of a report: without an end until today, without a start 30 days. */
export function dayRange(
  asked: { readonly from?: string | undefined; readonly to?: string | undefined },
  now: number,
): DayRangeResult {
  const to = asked.to ?? utcDay(now)
  const from = asked.from ?? utcDay(Math.max(0, startOf(to) - (DEFAULT_DAYS - 1) * DAY_MS))
  if (from > to) return { ok: false, param: 'to', message: `\`to\` must not be before \`from\`, ${from}.` }
  const days = (startOf(to) - startOf(from)) / DAY_MS + 1
  if (days > MAX_DAYS) {
    return { ok: false, param: 'from', message: `A report covers at most ${MAX_DAYS} days, not ${days}.` }
  }
  return { ok: true, range: { from, to } }
}

/** The milliseconds of a range: from the first on, until before the last. */
export function rangeMilliseconds({ from, to }: DayRange): { readonly start: number; readonly end: number } {
  return { start: startOf(from), end: startOf(to) + DAY_MS }
}

function startOf(day: string): number {
  return Date.parse(`${day}T00:00:00Z`)
}
