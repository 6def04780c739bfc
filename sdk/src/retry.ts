import type { DaisiError } from './error.ts'

const FIRST_BACKOFF_MS = 500
const MAX_BACKOFF_MS = 8_000
/** An Orc that asks for more than this is not waited for: the caller decides. */
const MAX_RETRY_AFTER_MS = 60_000

/**
 * Milliseconds to wait before the next attempt, or undefined if there should be none.
 * Without the Orc's word it is full-jitter exponential backoff; with it, that time and up to a quarter more, so that
 * clients that were refused together do not return together.
 */
export function retryWaitMs(error: DaisiError, attempt: number, random: () => number): number | undefined {
  if (!error.isRetryable) return undefined
  const { retryAfterMs: asked } = error
  if (asked === undefined) return random() * Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** attempt)
  return asked > MAX_RETRY_AFTER_MS ? undefined : asked * (1 + random() / 4)
}

/** What `retry-after-ms` or `retry-after` (seconds or a date) asks for. */
export function retryAfterMs(headers: Headers, now: number): number | undefined {
  const milliseconds = positive(headers.get('retry-after-ms'))
  if (milliseconds !== undefined) return milliseconds
  const retryAfter = headers.get('retry-after')
  const seconds = positive(retryAfter)
  if (seconds !== undefined) return seconds * 1_000
  const date = Date.parse(retryAfter ?? '')
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}

function positive(text: string | null): number | undefined {
  return text !== null && /^\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : undefined
}
