import type { IncomingMessage, ServerResponse } from 'node:http'
import { MAX_BODY_BYTES } from '@daisi/protocol'
import { type DirectFailure, failure } from './direct-failure.ts'

/** Bytes of a refused body that are thrown away, so that its sender can finish and read the answer. */
const MOST_DISCARDED = 2 * MAX_BODY_BYTES

/** Reads a body of at most so many bytes, and asks for it if its sender waits for that. Undefined if it broke off. */
export async function readBody(
  request: IncomingMessage,
  response: ServerResponse,
  most: number,
): Promise<Buffer | DirectFailure | undefined> {
  const tooLarge = failure('body_too_large', `the body has more than ${most} bytes`)
  if (Number(request.headers['content-length'] ?? 0) > most) return tooLarge
  if (request.headers.expect?.toLowerCase() === '100-continue') response.writeContinue()
  const chunks: Buffer[] = []
  let size = 0
  return new Promise((resolve) => {
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > most) resolve(tooLarge)
      else chunks.push(chunk)
    })
    request.on('end', () => resolve(Buffer.concat(chunks)))
    request.on('error', () => resolve(undefined))
    request.on('close', () => resolve(undefined))
  })
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
