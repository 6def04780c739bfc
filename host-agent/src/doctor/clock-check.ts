import { formatSeconds } from '../terminal/human-units.ts'
import { CLOCK_TOLERANCE_SECONDS } from '../tokens/verify-session-token.ts'
import { type Check, fail, ok, warn } from './check.ts'

/** A clock that is ahead by so much finds tokens expired. */
const AHEAD_SECONDS = 60
/** The header has whole seconds. */
const ROUNDING_SECONDS = 1

/** Compares this machine's clock with the `Date` header of an Orc's answer, asked for and received at the given times (ms). */
export function checkClock(url: string, header: string | null, beforeMs: number, afterMs: number): Check {
  const name = `${url} clock`
  const theirs = Date.parse(header ?? '')
  if (Number.isNaN(theirs)) return ok(name, 'the Orc does not tell its time')
  // Within the answer's way and the header's rounding, nothing can be told.
  const [earliest, latest] = [beforeMs / 1000 - ROUNDING_SECONDS, afterMs / 1000]
  const seconds = theirs / 1000
  const behind = Math.max(0, seconds - latest)
  const ahead = Math.max(0, earliest - seconds)
  const fix = `set this machine's clock, by network time at best (Linux: timedatectl set-ntp true); if it is right, tell the Orc's operator`
  if (behind > CLOCK_TOLERANCE_SECONDS) {
    const detail = `this machine's clock is ${formatSeconds(behind)} behind the Orc's: its tokens seem to come from the future, and every job is refused`
    return fail(name, detail, fix)
  }
  const detail = `this machine's clock is ${formatSeconds(ahead)} ahead of the Orc's: its tokens seem to have expired`
  if (ahead > AHEAD_SECONDS) return fail(name, `${detail}, and jobs are refused`, fix)
  if (ahead > CLOCK_TOLERANCE_SECONDS) return warn(name, `${detail} too early`, fix)
  return ok(name, "agrees with the Orc's")
}
