import type { OpenCall } from './call.ts'
import { DaisiError, interrupted, invalidResponse } from './error.ts'
import { parseJson } from './parse-json.ts'
import { SseParser } from './sse-parser.ts'

/** How long a finished stream may take to close. Reading up to its end lets the connection be used again. */
const DRAIN_MS = 1_000

/** Sees the events of a stream before its reader does. */
export interface StreamWatch {
  /** What it throws ends the stream. */
  readonly seen: (event: unknown, id: string) => void
  /** `[DONE]` came. The stream ends when this resolves. */
  readonly done: () => Promise<void>
}

/** Whether a stream is over after an event, where it has no `[DONE]`. */
export type EndTest = (event: unknown) => boolean

/** The values of a stream's events. Throws if the stream ends in any other way than with `[DONE]`, or the event that `isEnd` knows. */
export async function* readEvents(
  call: OpenCall,
  watch?: StreamWatch,
  isEnd?: EndTest,
): AsyncGenerator<unknown, void, void> {
  const { response, scope, requestId } = call
  const { signal } = scope
  const reader = response.body?.getReader()
  // Wakes a read that waits, also where the platform's body does not follow the request's signal.
  const stop = (): void => void reader?.cancel(signal.reason).catch(() => undefined)
  signal.addEventListener('abort', stop)
  const parser = new SseParser()
  let isDone = false
  try {
    for (let isOpen = true; isOpen;) {
      signal.throwIfAborted()
      scope.startTimer()
      const bytes = (await reader?.read())?.value
      scope.stopTimer()
      isOpen = bytes !== undefined
      for (const { data, id } of bytes === undefined ? parser.end() : parser.push(bytes)) {
        signal.throwIfAborted()
        isDone = data === '[DONE]'
        if (isDone) return await watch?.done()
        const event = parseJson(data)
        if (event !== undefined) {
          watch?.seen(event, id)
          isDone = isEnd?.(event) === true
          yield event
          if (isDone) return
        } else if (isOpen) throw invalidResponse('An event of the stream is not JSON.', response, requestId)
      }
    }
    signal.throwIfAborted()
    throw interrupted(requestId)
  } catch (cause) {
    if (DaisiError.isInstance(signal.reason)) throw signal.reason
    if (cause instanceof RangeError) throw invalidResponse(cause.message, response, requestId)
    throw DaisiError.isInstance(cause) ? cause : interrupted(requestId, cause)
  } finally {
    if (isDone) void drain(call, reader, stop)
    else {
      scope.abort()
      release(call, stop)
    }
  }
}

async function drain(
  call: OpenCall,
  reader: ReadableStreamDefaultReader | undefined,
  stop: () => void,
): Promise<void> {
  call.scope.startTimer(DRAIN_MS)
  try {
    while ((await reader?.read())?.done === false);
  } catch {
    // The answer is whole; how its connection ends is of no interest.
  } finally {
    release(call, stop)
  }
}

function release({ scope }: OpenCall, stop: () => void): void {
  scope.signal.removeEventListener('abort', stop)
  scope.close()
}
