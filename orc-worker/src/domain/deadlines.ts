/** Time that a Job has beside its tokens: to be taken, and for the prompt. */
const BASE_MS = 5 * 60 * 1000
/** A Host slower than a token a second is not worth waiting for; nor is a reader. */
const MS_PER_TOKEN = 1_000
/** Between the end of the last Job that may run and the end of its hold: time for its report to arrive. */
const REPORT_MS = 5 * 60 * 1000

/** The longest that a Job may take, in milliseconds. Then it is ended, and the part is paid. */
export function jobDeadlineMs(maxTokens: number): number {
  return BASE_MS + maxTokens * MS_PER_TOKEN
}

/** How long credits are held for a Job that nobody reports: always longer than the Job may take. */
export function holdMs(maxTokens: number): number {
  return jobDeadlineMs(maxTokens) + REPORT_MS
}
