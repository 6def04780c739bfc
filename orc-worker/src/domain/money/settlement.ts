import type { JobUsage } from '@daisi/protocol'
import { startOfHour, utcDay } from '../time.ts'

/** A finished Job, before it is in the book. */
export interface FinishedJob {
  readonly hostId: string
  /** The account that owns the Host. */
  readonly payee: string
  readonly network: string
  readonly model: string
  readonly usage: JobUsage
  readonly promptBytes: number
  readonly textBytes: number
  /** Milliseconds since the epoch. */
  readonly endedAt: number
  /** 0 on one's own Hosts. */
  readonly credits: number
}

/** Tokens and credits of several Jobs. */
export interface Amounts extends JobUsage {
  readonly jobs: number
  readonly credits: number
}

/** What one key used of a model on one day. */
export interface UsageLine extends Amounts {
  /** YYYY-MM-DD, UTC. */
  readonly day: string
  readonly model: string
}

/** What one Host did for others with a model in one hour. */
export interface WorkLine extends Amounts {
  readonly hostId: string
  /** Start of the hour, milliseconds since the epoch. */
  readonly hour: number
  readonly model: string
  readonly network: string
  readonly payee: string
  readonly promptBytes: number
  readonly textBytes: number
}

/** Many finished Jobs as the few lines that are written to the book. */
export interface Settlement {
  readonly jobs: number
  readonly credits: number
  /** One for each owner who is owed something. */
  readonly payments: readonly { readonly payee: string; readonly credits: number }[]
  readonly usage: readonly UsageLine[]
  readonly work: readonly WorkLine[]
}

/** Adds finished Jobs up. Sums of payments, usage and work are all equal: the same credits, seen from three sides. */
export function settlementOf(jobs: readonly FinishedJob[]): Settlement {
  const payments = paymentsOf(jobs)
  const usage = groups(jobs, (job) => `${utcDay(job.endedAt)}\n${job.model}`).map(([first, group]) => ({
    day: utcDay(first.endedAt),
    model: first.model,
    ...amounts(group),
  }))
  // What Hosts do for their own account is nobody's business but theirs, and must not pass for what is usual.
  const paid = jobs.filter((job) => job.credits > 0)
  const work = groups(paid, (job) => `${job.hostId}\n${startOfHour(job.endedAt)}\n${job.model}`).map(
    ([first, group]) => ({
      hostId: first.hostId,
      hour: startOfHour(first.endedAt),
      model: first.model,
      network: first.network,
      payee: first.payee,
      promptBytes: total(group, (job) => job.promptBytes),
      textBytes: total(group, (job) => job.textBytes),
      ...amounts(group),
    }),
  )
  return { jobs: jobs.length, credits: amounts(jobs).credits, payments, usage, work }
}

/** What is owed to whom: one payment for each owner who is owed something. */
export function paymentsOf(
  jobs: readonly { readonly payee: string; readonly credits: number }[],
): Settlement['payments'] {
  return [...Map.groupBy(jobs, (job) => job.payee)]
    .map(([payee, group]) => ({ payee, credits: group.reduce((sum, job) => sum + job.credits, 0) }))
    .filter((payment) => payment.credits > 0)
}

function amounts(jobs: readonly FinishedJob[]): Amounts {
  return {
    jobs: jobs.length,
    promptTokens: total(jobs, (job) => job.usage.promptTokens),
    cachedTokens: total(jobs, (job) => job.usage.cachedTokens),
    generatedTokens: total(jobs, (job) => job.usage.generatedTokens),
    credits: total(jobs, (job) => job.credits),
  }
}

function groups(
  jobs: readonly FinishedJob[],
  key: (job: FinishedJob) => string,
): (readonly [FinishedJob, readonly FinishedJob[]])[] {
  return [...Map.groupBy(jobs, key).values()].flatMap((group) =>
    group.slice(0, 1).map((first) => [first, group] as const),
  )
}

function total(jobs: readonly FinishedJob[], value: (job: FinishedJob) => number): number {
  return jobs.reduce((sum, job) => sum + value(job), 0)
}
