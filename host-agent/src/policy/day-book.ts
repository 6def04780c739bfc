import { join } from 'node:path'
import { count } from '@daisi/protocol'
import * as z from 'zod'
import type { Clock } from '../clock.ts'
import type { Problem } from '../problem.ts'
import { readJsonFile, writeJsonFile } from '../state/json-file.ts'

const dayRecord = z.object({
  /** Of the machine's own calendar: 2026-11-30. */
  day: z.string(),
  tokensForOthers: count,
  ownTokens: count,
  jobs: count,
  failedJobs: count,
})
type DayRecord = z.infer<typeof dayRecord>

/** What was done since midnight of the machine's clock. */
export type DayCounts = Readonly<Omit<DayRecord, 'day'>>

/** Counts reach the disk this long after they were made: what a killed process loses of them. */
const WRITE_DELAY_MS = 5_000

/** Counts what is done in a day, so that a restart does not begin it anew. */
export class DayBook {
  readonly #path: string
  readonly #clock: Clock
  #record: DayRecord
  #cancelWrite: (() => void) | undefined
  #writing: Promise<void> = Promise.resolve()
  #problem: Problem | undefined

  private constructor(path: string, clock: Clock, record: DayRecord) {
    this.#path = path
    this.#clock = clock
    this.#record = record
  }

  /** The clock tells milliseconds since 1970. Throws a `FatalError` if the file is broken. */
  static async open(stateFolder: string, clock: Clock): Promise<DayBook> {
    const path = join(stateFolder, 'today.json')
    return new DayBook(path, clock, (await readJsonFile(path, dayRecord)) ?? emptyDay(''))
  }

  get today(): DayCounts {
    const { tokensForOthers, ownTokens, jobs, failedJobs } = this.#turn()
    return { tokensForOthers, ownTokens, jobs, failedJobs }
  }

  /** Why counts would not survive a restart. */
  get problem(): Problem | undefined {
    return this.#problem
  }

  add(change: Partial<DayCounts>): void {
    const before = this.#turn()
    this.#record = {
      day: before.day,
      tokensForOthers: before.tokensForOthers + (change.tokensForOthers ?? 0),
      ownTokens: before.ownTokens + (change.ownTokens ?? 0),
      jobs: before.jobs + (change.jobs ?? 0),
      failedJobs: before.failedJobs + (change.failedJobs ?? 0),
    }
    this.#cancelWrite ??= this.#clock.after(WRITE_DELAY_MS, () => void this.flush())
  }

  /** Resolves when what was counted until now is on disk, or cannot be brought there. */
  async flush(): Promise<void> {
    if (this.#cancelWrite !== undefined) {
      this.#cancelWrite()
      this.#cancelWrite = undefined
      this.#writing = this.#writing.then(() => this.#write())
    }
    await this.#writing
  }

  /** A full disk is no reason to stop working: the next count tries again. */
  async #write(): Promise<void> {
    try {
      await writeJsonFile(this.#path, this.#record)
      this.#problem = undefined
    } catch (error) {
      const message = error instanceof Error ? error.message : `${this.#path} cannot be written`
      this.#problem = { code: 'day_not_saved', message: `what is done today is not remembered: ${message}` }
    }
  }

  /** Today's record; a new one if the day has changed. */
  #turn(): DayRecord {
    const day = dayOf(new Date(this.#clock.now()))
    if (this.#record.day !== day) this.#record = emptyDay(day)
    return this.#record
  }
}

function emptyDay(day: string): DayRecord {
  return { day, tokensForOthers: 0, ownTokens: 0, jobs: 0, failedJobs: 0 }
}

function dayOf(date: Date): string {
  const parts = [date.getFullYear(), date.getMonth() + 1, date.getDate()]
  return parts.map((part) => String(part).padStart(2, '0')).join('-')
}
