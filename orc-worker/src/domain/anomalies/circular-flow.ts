import type { Sighting } from './sighting.ts'
import { DAY_MS, utcDay } from '../time.ts'

/** Credits of the smallest payment in a circle that is worth a look. */
export const MIN_FLOW_CREDITS = 1_000
/** Share of the largest payment that the smallest must have: in a circle made on purpose nearly everything comes back. */
const MIN_SHARE = 0.5
/** Accounts in the longest circle that is looked for. */
const MAX_ACCOUNTS = 4
/** The largest flows that are looked at, of all that reach `MIN_FLOW_CREDITS`. */
export const MAX_FLOWS = 2_000
/** Circles noted for one account. They make one record, for which a few are enough. */
const MAX_CIRCLES_PER_ACCOUNT = 5
/** Flows followed from one account, so that the work grows with the number of accounts and not of paths. */
const MAX_STEPS_PER_ACCOUNT = 2_000

/** Credits that one account paid another, since `flowsSince`. */
export interface Flow {
  readonly payer: string
  readonly payee: string
  readonly credits: number
}

/** Start of the time in which payments count, milliseconds since the epoch. */
export function flowsSince(now: number): number {
  return now - DAY_MS
}

/**
 * Accounts that pay each other in a circle of two to four, about as much as they receive. One sighting for each circle and
 * day (UTC); its subject is the account with the smallest id. Left out: flows beyond the `MAX_FLOWS` largest, and circles
 * of an account beyond its first five or beyond the first 2,000 flows followed from it.
 */
export function circularFlows(flows: readonly Flow[], now: number): Sighting[] {
  const day = utcDay(now)
  const looked = flows
    .filter(({ payer, payee, credits }) => payer !== payee && credits >= MIN_FLOW_CREDITS)
    .toSorted((a, b) => b.credits - a.credits)
    .slice(0, MAX_FLOWS)
  const byPayer = Map.groupBy(looked, (flow) => flow.payer)
  return [...byPayer.keys()].toSorted().flatMap((account) =>
    circlesFrom(account, byPayer).map((circle) => {
      const accounts = circle.map((flow) => flow.payer)
      const detail = { accounts, credits: circle.map((flow) => flow.credits) }
      const id = `circular_flow:${accounts.join('>')}:${day}`
      return { id, kind: 'circular_flow' as const, subject: account, seenAt: now, detail }
    }),
  )
}

/** Circles in which `start` has the smallest id: every circle is found from one account only. */
function circlesFrom(start: string, byPayer: ReadonlyMap<string, readonly Flow[]>): Flow[][] {
  const circles: Flow[][] = []
  let steps = 0

  function follow(path: readonly Flow[], account: string): void {
    for (const flow of byPayer.get(account) ?? []) {
      if (circles.length === MAX_CIRCLES_PER_ACCOUNT || ++steps > MAX_STEPS_PER_ACCOUNT) return
      const longer = [...path, flow]
      // A longer path is never more even, so that an uneven one need not be followed.
      if (!isEven(longer)) continue
      if (flow.payee === start) circles.push(longer)
      else if (flow.payee > start && longer.length < MAX_ACCOUNTS && !visits(path, flow.payee)) {
        follow(longer, flow.payee)
      }
    }
  }

  follow([], start)
  return circles
}

function isEven(path: readonly Flow[]): boolean {
  const credits = path.map((flow) => flow.credits)
  return Math.min(...credits) >= MIN_SHARE * Math.max(...credits)
}

function visits(path: readonly Flow[], account: string): boolean {
  return path.some((flow) => flow.payer === account)
}
