import { ExitCode, FatalError } from '../exit-codes.ts'
import type { ToolResult } from '../run-tool.ts'

/** A program of the system declined. */
export function toolFailed(command: string, { problem }: ToolResult): FatalError {
  const message = `${command} failed (${problem.split('\n', 1)[0] ?? ''}); try it by hand, or run daisi-host without a service`
  return new FatalError(ExitCode.Failed, 'service_failed', message)
}
