import { resolve } from 'node:path'
import { ExitCode, FatalError } from '../exit-codes.ts'

/** What a service manager is to run. */
export interface ServicePlan {
  /** The program and its arguments, paths absolute. No secrets: files of services can be read by others. */
  readonly command: readonly [string, ...string[]]
  /** Where the program begins to look for relative paths. */
  readonly workingFolder: string
}

/** Name of the service on every system. */
export const SERVICE_NAME = 'daisi-host'
export const SERVICE_DESCRIPTION = 'DAISI Host: lends this machine to a DAISI network'

/** Exit codes after which starting again would change nothing: a wrong command line or state, a refusal, another agent. */
export const FINAL_EXIT_CODES = [2, 3, 5, 6, 9] as const

/** The service that runs this program as it runs now, with what the configuration of a state folder says. */
export function servicePlan(stateFolder: string, program: string, script: string): ServicePlan {
  const folder = resolve(stateFolder)
  const command = [program, script, 'run', '--state', folder] as const
  if (command.some((word) => /\p{Cc}/u.test(word)))
    throw new FatalError(
      ExitCode.Usage,
      'unusable_path',
      'the paths of daisi-host and of its state folder must have no line breaks or other control characters; move them',
    )
  return { command: [...command], workingFolder: folder }
}
