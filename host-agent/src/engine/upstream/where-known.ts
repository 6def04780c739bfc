import { ServerError } from './server-error.ts'

/** A fact that a server may or may not tell. */
export async function whereKnown<Fact>(asked: Promise<Fact>, signal: AbortSignal): Promise<Fact | undefined> {
  try {
    return await asked
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof ServerError) return undefined
    throw error
  }
}
