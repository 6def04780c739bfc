import type { Sighting } from './sighting.ts'
import { DAY_MS, HOUR_MS, startOfHour } from '../time.ts'

/** How far back a Host's own past counts: a week has every kind of day in it. */
const HISTORY_MS = 7 * DAY_MS

/** Spikes below this are worth too little to be looked at. */
export const MIN_SPIKE_TOKENS = 200_000
/** A new model or a second slot makes a Host a few times faster, not ten times. */
const MIN_FACTOR = 10
/** A Host known for less time than this needs `MIN_WORKED_HOURS` before its mean says anything. */
const MIN_HISTORY_MS = DAY_MS
const MIN_WORKED_HOURS = 5

/** What a Host worked: prompt tokens evaluated and tokens generated, of all models. */
export interface HostVolume {
  readonly hostId: string
  /** In the last full hour. */
  readonly tokens: number
  /** In the hours before, since `VolumeWindow.since`. */
  readonly earlierTokens: number
  /** Hours before in which it worked at all. */
  readonly earlierHours: number
  /** The first of them, milliseconds since the epoch, or null if there is none. */
  readonly firstHour: number | null
}

/** The hours that count, milliseconds since the epoch. */
export interface VolumeWindow {
  /** Start of the first. */
  readonly since: number
  /** Start of the last full one, which is compared with those before. */
  readonly hour: number
}

/** The last full hour and the seven days before it. */
export function volumeWindow(now: number): VolumeWindow {
  const hour = startOfHour(now) - HOUR_MS
  return { since: hour - HISTORY_MS, hour }
}

/**
 * Hosts that did far more in the last full hour than they used to do in an hour in which they worked. One sighting for each
 * Host and hour.
 */
export function volumeSpikes(volumes: readonly HostVolume[], now: number): Sighting[] {
  const { hour } = volumeWindow(now)
  return volumes.flatMap(({ hostId, tokens, earlierTokens, earlierHours, firstHour }) => {
    if (firstHour === null || earlierHours === 0 || tokens < MIN_SPIKE_TOKENS) return []
    if (hour - firstHour < MIN_HISTORY_MS && earlierHours < MIN_WORKED_HOURS) return []
    const mean = earlierTokens / earlierHours
    if (tokens < MIN_FACTOR * mean) return []
    const detail = { hour, tokens, meanTokens: mean, workedHours: earlierHours }
    const id = `volume_spike:${hostId}:${hour}`
    return [{ id, kind: 'volume_spike' as const, subject: hostId, seenAt: now, detail }]
  })
}
