export const HOUR_MS = 60 * 60 * 1000
export const DAY_MS = 24 * HOUR_MS

/** A time as protocol bodies carry it: whole seconds since the epoch. */
export function epochSeconds(time: number): number {
  return Math.floor(time / 1000)
}

/** Start of the hour that a time lies in; both in milliseconds since the epoch. */
export function startOfHour(time: number): number {
  return time - (time % HOUR_MS)
}

/** The day that a time lies in, as YYYY-MM-DD in UTC. */
export function utcDay(time: number): string {
  return new Date(time).toISOString().slice(0, 10)
}
