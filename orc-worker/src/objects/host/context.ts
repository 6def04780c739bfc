import type { Alarm } from '../alarm.ts'
import type { CommandQueue } from './command-queue.ts'
import type { HostReport } from './host-report.ts'
import type { SightingOutbox } from './sighting-outbox.ts'
import type { MessageLimits } from './message-limits.ts'
import type { HostDirectTokens } from './host-direct-tokens.ts'
import type { Holds } from './holds.ts'
import type { Reporter } from './reporter.ts'
import type { Sockets } from './sockets.ts'
import type { HostStorage } from './storage.ts'

/** What the verbs of a HostConnection work with. */
export interface HostContext {
  readonly env: Env
  readonly sockets: Sockets
  readonly storage: HostStorage
  readonly direct: HostDirectTokens
  readonly commands: CommandQueue
  readonly report: HostReport
  readonly limits: MessageLimits
  readonly alarm: Alarm
  readonly reporter: Reporter
  readonly outbox: SightingOutbox
  readonly holds: Holds
  /** Jobs whose receipt is being verified: it counts, and not the checkpoint, whatever ends meanwhile. */
  readonly weighing: Set<string>
}
