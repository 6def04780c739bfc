import { ExitCode, FatalError } from '../exit-codes.ts'
import { LaunchdService } from './launchd-service.ts'
import type { ServicePlan } from './service-plan.ts'
import { SystemdService } from './systemd-service.ts'
import { WindowsService } from './windows-service.ts'

/** What became of a service. */
export interface ServiceState {
  readonly installed: boolean
  readonly running: boolean
  /** The system's own words for it. */
  readonly detail: string
}

/** One system's way to keep a program running for its user. Each call throws a `FatalError` where the system declines. */
export interface ServiceManager {
  /** Where the service stands: a file, or a name. */
  readonly place: string
  /** The text that `install` gives to the system. */
  text(plan: ServicePlan): string
  /** Installs, or replaces, and starts it. Returns what was done and what is left to do, one sentence each. */
  install(plan: ServicePlan): Promise<readonly string[]>
  /** Stops and removes it. Returns what was done; nothing if there was none. */
  uninstall(): Promise<readonly string[]>
  state(): Promise<ServiceState>
}

/** The one of this system. Throws a `FatalError` where there is none. */
export function serviceManager(
  platform: NodeJS.Platform = process.platform,
  environment: Readonly<NodeJS.ProcessEnv> = process.env,
): ServiceManager {
  if (platform === 'linux') return new SystemdService(environment)
  if (platform === 'darwin') return new LaunchdService()
  if (platform === 'win32') return new WindowsService(environment)
  const message = `daisi-host cannot install itself as a service on ${platform}; have your system run: daisi-host run`
  throw new FatalError(ExitCode.Failed, 'service_unavailable', message)
}
