import { ExitCode, FatalError } from '../exit-codes.ts'
import { setupInterrupted } from './setup-failures.ts'

/** Tries a step until it is done, or until nobody wants to try again. `retry` is one of the asker's ways. */
export async function untilDone<Value>(
  step: () => Promise<Value>,
  retry: (error: FatalError) => void | Promise<void>,
  signal: AbortSignal,
): Promise<Value> {
  while (true) {
    try {
      return await step()
    } catch (error) {
      if (signal.aborted) throw isInterruption(error) ? error : setupInterrupted()
      if (!(error instanceof FatalError) || isInterruption(error) || error.exitCode === ExitCode.State)
        throw error
      await retry(error)
    }
  }
}

function isInterruption(error: unknown): boolean {
  return error instanceof FatalError && error.exitCode === ExitCode.Interrupted
}
