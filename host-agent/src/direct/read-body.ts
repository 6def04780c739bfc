import type { IncomingMessage, ServerResponse } from 'node:http'
import { MAX_BODY_BYTES } from '@daisi/protocol'
import { type DirectFailure, failure } from './direct-failure.ts'

/** Bytes of a refused body that are thrown away, so that its sender can finish and read the answer. */
const MOST_DISCARDED = 2 * MAX_BODY_BYTES

/** What a body may take. */
export interface BodyLimits {
  readonly mostBytes: number
  /** Milliseconds that it may take, and the bytes a second that give it more of them. */
  readonly bodyMs: number
  readonly bodyBytesPerSecond: number
}

/** Reads a body, and asks for it if its sender waits for that. Undefined if it broke off. */
export async function readBody(
  request: IncomingMessage,
  response: ServerResponse,
  { mostBytes, bodyMs, bodyBytesPerSecond }: BodyLimits,
): Promise<Buffer | DirectFailure | undefined> {
  const tooLarge = failure('body_too_large', `the body has more than ${mostBytes} bytes`)
  if (Number(request.headers['content-length'] ?? 0) > mostBytes) return tooLarge
  // Its sender may have gone while the token was checked: nothing more is told of it then.
  if (request.destroyed) return undefined
  if (request.headers.expect?.toLowerCase() === '100-continue') response.writeContinue()
  const chunks: Buffer[] = []
  let size = 0
  let timer: NodeJS.Timeout | undefined
  const body = new Promise<Buffer | DirectFailure | undefined>((resolve) => {
    const startedAt = performance.now()
    const waitOn = (): void => {
      const endsAt = startedAt + bodyMs + (size / bodyBytesPerSecond) * 1000
      const leftMs = endsAt - performance.now()
      if (leftMs > 0) timer = setTimeout(waitOn, Math.ceil(leftMs))
      else {
        response.setHeader('connection', 'close')
        resolve(failure('invalid_request', 'the body came too slowly; send it again'))
      }
    }
    waitOn()
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > mostBytes) resolve(tooLarge)
      else chunks.push(chunk)
    })
    request.on('end', () => resolve(Buffer.concat(chunks)))
    request.on('error', () => resolve(undefined))
    request.on('close', () => resolve(undefined))
  })
  return body.finally(() => clearTimeout(timer))
}

/** Throws the rest of a body away; one that does not end is broken off. */
export function discardBody(request: IncomingMessage): void {
  if (request.complete || request.destroyed) return
  let size = 0
  request.on('error', () => {})
  request.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size > MOST_DISCARDED) request.destroy()
  })
}
