import { toolOutput } from './tool-output.ts'

/** A desktop on which somebody is logged in and which is shown. */
export interface DesktopSession {
  readonly userId: number
  /** True once the desktop itself has said that nobody uses it. */
  readonly idle: boolean
  /** When `idle` last changed, in milliseconds since 1970; 0 if it never has. */
  readonly sinceMs: number
  /** True while the screen is locked. */
  readonly locked: boolean
}

const DESKTOPS: ReadonlySet<string | undefined> = new Set(['x11', 'wayland', 'mir'])
const PROPERTIES = ['User', 'Type', 'Class', 'State', 'IdleHint', 'IdleSinceHint', 'LockedHint']

/** The desktops that systemd-logind knows; none without it. */
export async function readDesktopSessions(signal: AbortSignal): Promise<readonly DesktopSession[]> {
  const list = await toolOutput('loginctl', ['list-sessions', '--no-legend', '--no-pager'], signal)
  const ids = parseSessionIds(list ?? '')
  if (ids.length === 0) return []
  const properties = PROPERTIES.flatMap((name) => ['--property', name])
  const shown = await toolOutput('loginctl', ['show-session', '--no-pager', ...properties, ...ids], signal)
  return parseDesktopSessions(shown ?? '')
}

/** The first column of `loginctl list-sessions`. */
export function parseSessionIds(text: string): readonly string[] {
  const ids = text.split('\n').map((line) => /^\s*([A-Za-z0-9]{1,32})(?:\s|$)/.exec(line)?.[1])
  return ids.filter((id) => id !== undefined).slice(0, 64)
}

/** Blocks of `name=value` lines, an empty line between two. */
export function parseDesktopSessions(text: string): readonly DesktopSession[] {
  return text
    .split(/\n\s*\n/)
    .map((block) => new Map(block.split('\n').map((line) => splitAtEquals(line))))
    .filter(
      (session) =>
        DESKTOPS.has(session.get('Type')) &&
        session.get('Class') === 'user' &&
        session.get('State') === 'active',
    )
    .map((session) => ({
      userId: Number(session.get('User') ?? -1),
      idle: session.get('IdleHint') === 'yes',
      sinceMs: Math.floor(Number(session.get('IdleSinceHint') ?? 0) / 1000),
      locked: session.get('LockedHint') === 'yes',
    }))
}

function splitAtEquals(line: string): [string, string] {
  const [name = '', ...value] = line.trim().split('=')
  return [name, value.join('=')]
}
