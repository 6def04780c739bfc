import type { Sighting } from '../../domain/anomalies/sighting.ts'
import { recordSightings } from '../../db/anomalies.ts'
import { database } from '../../db/client.ts'
import { within } from '../../domain/within.ts'
import { logEvent } from '../../log.ts'
import type { Alarm } from '../alarm.ts'
import type { HostStorage } from './storage.ts'

/** Sightings of the same moment travel together. */
const COLLECT_MS = 1_000
/** Longest that the alarm waits for the database: holds are renewed by the same alarm. */
const WRITE_WAIT_MS = 10_000
/** Longest wait between two tries, in milliseconds. */
const MAX_BACKOFF_MS = 60_000
/** Ids of sightings remembered as noted, so that one which repeats all the time is not written all the time. */
const MAX_NOTED = 200

/**
 * What looked wrong about this Host, on its way to the database. Noting is a write to the object's own storage; the alarm
 * does the rest, so that neither a frame nor the end of a Job ever waits for it.
 */
export class SightingOutbox {
  readonly #env: Env
  readonly #storage: HostStorage
  readonly #alarm: Alarm
  readonly #noted = new Set<string>()
  #dropped = 0
  #failures = 0

  constructor(env: Env, storage: HostStorage, alarm: Alarm) {
    this.#env = env
    this.#storage = storage
    this.#alarm = alarm
  }

  /** Keeps sightings and wakes the object soon. Undefined ones are none. */
  async note(...sightings: readonly (Sighting | undefined)[]): Promise<void> {
    const fresh = sightings
      .filter((sighting) => sighting !== undefined)
      .filter(({ id }) => !this.#noted.has(id))
    if (fresh.length === 0) return
    for (const sighting of fresh) {
      if (this.#storage.addSighting(sighting)) this.#remember(sighting.id)
      else this.#dropped++
    }
    // While the database fails, its backoff holds.
    if (this.#failures === 0) await this.#alarm.at(Date.now() + COLLECT_MS)
  }

  /** Writes what waits to the database, or asks the alarm for another try. Called by the alarm only. Never rejects. */
  async flush(): Promise<void> {
    if (this.#dropped > 0) logEvent('sightings_dropped', { count: this.#dropped })
    this.#dropped = 0
    const waiting = this.#storage.sightings()
    if (waiting.length === 0) return
    if (await this.#write(waiting)) {
      this.#storage.removeSightings(waiting.map(({ id }) => id))
      this.#failures = 0
    } else await this.#alarm.at(Date.now() + Math.min(MAX_BACKOFF_MS, 1_000 * 2 ** this.#failures++))
  }

  /** False if the database did not take them, or not in time: each counts once, however often it is written. */
  async #write(sightings: readonly Sighting[]): Promise<boolean> {
    try {
      const written = recordSightings(database(this.#env), sightings).then(() => true)
      return (await within(written, WRITE_WAIT_MS)) === true
    } catch (error) {
      logEvent('sightings_failed', { error })
      return false
    }
  }

  #remember(id: string): void {
    const [oldest] = this.#noted
    if (this.#noted.size >= MAX_NOTED && oldest !== undefined) this.#noted.delete(oldest)
    this.#noted.add(id)
  }
}
