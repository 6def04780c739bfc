import type { Clock } from '../clock.ts'
import type { ControlClient } from '../control/control-client.ts'
import type { Hardware } from '../hardware/hardware.ts'
import type { Hub } from '../store/hub.ts'
import type { SetupAsker } from './setup-asker.ts'

export interface SetupOptions {
  readonly stateFolder: string
  /** Of this Host in its owner's list; undefined: this machine's name. */
  readonly name: string | undefined
  /** Absolute; undefined: as the configuration says. */
  readonly modelsFolder: string | undefined
  /** True allows http: outside the local network. */
  readonly insecure: boolean
  readonly hub: Hub
  /** Servers to look for on this machine. */
  readonly usualServers: readonly string[]
  readonly clock: Clock
}

/** One setup under way. */
export interface SetupContext extends SetupOptions {
  /** Where downloads go. */
  readonly modelsFolder: string
  /** Looks at this machine, once. */
  readonly hardware: () => Promise<Hardware>
  readonly asker: SetupAsker
  /** The running agent of this state folder. */
  readonly agent: ControlClient | undefined
  readonly signal: AbortSignal
}
