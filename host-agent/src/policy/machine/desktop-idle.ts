import { toolOutput } from './tool-output.ts'

/** A program that says how long nobody has touched keyboard and mouse of this user's desktop. */
interface DesktopTool {
  readonly command: string
  readonly args: readonly string[]
  /** True where its answer would be right. */
  readonly suits: (environment: NodeJS.ProcessEnv) => boolean
}

const TOOLS: readonly DesktopTool[] = [
  busCall('org.gnome.Mutter.IdleMonitor', '/org/gnome/Mutter/IdleMonitor/Core', [
    'org.gnome.Mutter.IdleMonitor',
    'GetIdletime',
  ]),
  busCall('org.kde.screensaver', '/ScreenSaver', ['org.freedesktop.ScreenSaver', 'GetSessionIdleTime']),
  {
    command: 'xprintidle',
    args: [],
    // Beside Wayland an X server sees only what its own windows get.
    suits: ({ DISPLAY, WAYLAND_DISPLAY }) => DISPLAY !== undefined && WAYLAND_DISPLAY === undefined,
  },
]

function busCall(service: string, path: string, call: readonly string[]): DesktopTool {
  return {
    command: 'busctl',
    args: ['--user', 'call', service, path, ...call],
    suits: ({ DBUS_SESSION_BUS_ADDRESS, XDG_RUNTIME_DIR }) =>
      DBUS_SESSION_BUS_ADDRESS !== undefined || XDG_RUNTIME_DIR !== undefined,
  }
}

/** Asks this user's desktop. */
export class DesktopIdle {
  /** The tool that answered last: it is asked first. */
  #favourite: DesktopTool | undefined

  /** Milliseconds without input; undefined if no desktop answers. */
  async read(signal: AbortSignal): Promise<number | undefined> {
    const tools = this.#favourite === undefined ? TOOLS : [this.#favourite, ...TOOLS]
    for (const tool of new Set(tools)) {
      if (!tool.suits(process.env)) continue
      const idleMs = parseIdleTime((await toolOutput(tool.command, tool.args, signal)) ?? '')
      if (idleMs === undefined) continue
      this.#favourite = tool
      return idleMs
    }
    return undefined
  }
}

/** A number alone, as xprintidle prints it, or one with its D-Bus type before it. */
export function parseIdleTime(text: string): number | undefined {
  const digits = /^(?:[tu] )?(\d{1,15})\s*$/.exec(text)?.[1]
  return digits === undefined ? undefined : Number(digits)
}
