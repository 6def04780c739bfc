import { userInfo } from 'node:os'
import { DesktopIdle } from './desktop-idle.ts'
import { type DesktopSession, readDesktopSessions } from './logind-sessions.ts'
import type { Reading } from './probe.ts'
import { readTerminalIdle } from './terminal-idle.ts'
import { unknownInput } from './unknown.ts'

const NEVER_IDLE =
  'the desktop has never told systemd-logind that it is idle and counts as in use until its screen is locked; if that stays so, install xprintidle (X11), set an idlehint with swayidle (Wayland), or set noInputMinutes to 0 and hours with schedule'

/** All that Linux tells about who is at the machine. */
export interface LinuxInput {
  /** Milliseconds without input on this user's desktop, from the desktop itself. */
  readonly desktopMs: number | undefined
  readonly sessions: readonly DesktopSession[]
  /** Milliseconds without input on any terminal. */
  readonly terminalMs: number | undefined
  /** True if this process belongs to a desktop. */
  readonly hasDisplay: boolean
  readonly ownUserId: number
  readonly nowMs: number
}

/** Milliseconds since the last input on a machine with Linux. */
export class LinuxInputProbe {
  readonly #desktop = new DesktopIdle()

  async read(signal: AbortSignal): Promise<Reading<number>> {
    const [desktopMs, sessions] = await Promise.all([this.#desktop.read(signal), readDesktopSessions(signal)])
    const nowMs = Date.now()
    return judgeLinuxInput({
      desktopMs,
      sessions,
      terminalMs: await readTerminalIdle(nowMs),
      hasDisplay: ['DISPLAY', 'WAYLAND_DISPLAY'].some((name) => process.env[name] !== undefined),
      ownUserId: userInfo().uid,
      nowMs,
    })
  }
}

/**
 * The latest input of all. A desktop's own answer is better than the hint that it gives to logind: some give it minutes late, and
 * some never. Of a desktop behind a locked screen nobody types into anything.
 */
export function judgeLinuxInput(input: LinuxInput): Reading<number> {
  const { desktopMs, sessions, terminalMs, hasDisplay, ownUserId, nowMs } = input
  const hinted = sessions.filter(({ userId }) => desktopMs === undefined || userId !== ownUserId)
  const open = hinted.filter(({ locked }) => !locked)
  const hints = open.map(({ idle, sinceMs }) => (idle ? Math.max(0, nowMs - sinceMs) : 0))
  const seen = [desktopMs, terminalMs, ...hints].filter((value) => value !== undefined)
  if (seen.length === 0 || (hasDisplay && desktopMs === undefined && hinted.length === 0))
    return unknownInput()
  const value = Math.min(...seen)
  if (!open.some(({ idle, sinceMs }) => !idle && sinceMs === 0)) return { value }
  return { value, problem: { code: 'desktop_never_idle', message: NEVER_IDLE } }
}
