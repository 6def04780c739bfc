import { DurableObject } from 'cloudflare:workers'
import { readActivity } from '../../db/activity.ts'
import { recordSightings } from '../../db/anomalies.ts'
import { type Database, database } from '../../db/client.ts'
import { hasOpenLease } from '../../db/ledger.ts'
import { scanActivity } from '../../domain/anomalies/scan.ts'
import { logEvent } from '../../log.ts'
import { Alarm } from '../alarm.ts'
import { reconcileLeases } from './reconcile.ts'
import { HOUR_MS, startOfHour } from '../../domain/time.ts'

/** Time between two rounds while any lease holds credits. */
const ROUND_MS = 5 * 60 * 1000
/** A Session releases a lease that it does not use within seconds: after this long without a movement it is asked. */
const IDLE_MS = 5 * 60 * 1000
/** By then the work of the hour before is settled. */
const AFTER_THE_HOUR_MS = 2 * 60 * 1000

/** When the next look at the hour's work is due, milliseconds since the epoch. Absent while there is none to look at. */
const SCAN_DUE = 'scan-due'

/**
 * Looks after the book as a whole, by alarm, so that it works alike on Cloudflare and on a LAN: asks Sessions about leases
 * that lie still, and once an hour looks for what an operator should see. Woken when a lease opens; sleeps when none is
 * open and the last hour's work was looked at.
 */
export class Bookkeeper extends DurableObject<Env> {
  readonly #alarm = new Alarm(this.ctx.storage)

  /** A lease was opened: a round follows in time. */
  async wake(): Promise<void> {
    const now = Date.now()
    if ((await this.#scanDue()) === undefined) await this.ctx.storage.put(SCAN_DUE, nextScan(now))
    await this.#alarm.at(now + ROUND_MS)
  }

  override async alarm(): Promise<void> {
    this.#alarm.fired()
    const now = Date.now()
    const db = database(this.env)
    try {
      await reconcileLeases(this.env, db, now - IDLE_MS, now)
      const open = await hasOpenLease(db)
      const due = await this.#scan(db, open, now)
      this.#alarm.succeeded()
      if (open) await this.#alarm.at(now + ROUND_MS)
      if (due !== undefined) await this.#alarm.at(due)
    } catch (error) {
      logEvent('bookkeeping_failed', { error })
      await this.#alarm.retry(now)
    }
  }

  /** Looks through the work if that is due. Answers when it is due next, if it is. */
  async #scan(db: Database, open: boolean, now: number): Promise<number | undefined> {
    const due = await this.#scanDue()
    if (due === undefined || now < due) return due
    await recordSightings(db, scanActivity(await readActivity(db, now), now))
    const next = nextScan(now)
    if (open) await this.ctx.storage.put(SCAN_DUE, next)
    else await this.ctx.storage.delete(SCAN_DUE)
    return open ? next : undefined
  }

  #scanDue(): Promise<number | undefined> {
    return this.ctx.storage.get<number>(SCAN_DUE)
  }
}

/** Shortly after the present hour. */
function nextScan(now: number): number {
  return startOfHour(now) + HOUR_MS + AFTER_THE_HOUR_MS
}
