import type { Clock } from '../../clock.ts'
import { ServerError } from './server-error.ts'

/** What a body may take. */
export interface BodyLimits {
  readonly clock: Clock
  /** Milliseconds between two parts. Time in which nobody reads does not count. */
  readonly gapTimeoutMs: number
  readonly mostBytes: number
  readonly signal: AbortSignal
}

/**
 * The parts of a body, read only as fast as they are taken: a reader that waits makes the server wait. Leaving early breaks
 * the connection off.
 */
export async function* readParts(
  body: ReadableStream<Uint8Array>,
  { clock, gapTimeoutMs, signal }: Omit<BodyLimits, 'mostBytes'>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = body.getReader()
  try {
    while (true) {
      const part = await withTimeout(reader.read(), clock, gapTimeoutMs)
      if (part.done) return
      yield part.value
    }
  } catch (cause) {
    signal.throwIfAborted()
    if (cause instanceof ServerError) throw cause
    throw new ServerError('unreachable', 'the server broke the connection off', { cause })
  } finally {
    // What is left is of no use, and its sender is to stop.
    reader.cancel().catch(() => {})
  }
}

/** A whole body, at most `mostBytes` of it. */
export async function readAll(body: ReadableStream<Uint8Array>, limits: BodyLimits): Promise<Buffer> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of readParts(body, limits)) {
    size += part.length
    if (size > limits.mostBytes)
      throw new ServerError('malformed', `the answer has more than ${limits.mostBytes} bytes`)
    parts.push(part)
  }
  return Buffer.concat(parts)
}

async function withTimeout<Value>(promise: Promise<Value>, clock: Clock, timeoutMs: number): Promise<Value> {
  let cancel = (): void => {}
  const timeout = new Promise<never>((_, reject) => {
    cancel = clock.after(timeoutMs, () =>
      reject(new ServerError('stalled', `nothing came from the server for ${timeoutMs} ms`)),
    )
  })
  try {
    return await Promise.race([promise, timeout])
  } finally {
    cancel()
  }
}
