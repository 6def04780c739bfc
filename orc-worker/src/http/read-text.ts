import { ApiError } from './errors.ts'

/**
 * The body as text, or undefined if it is larger than `maxBytes`; no more than that is held. Throws `invalid_request` if it ends
 * before its headers say so.
 */
export async function readText(request: Request, maxBytes: number): Promise<string | undefined> {
  try {
    return await readWhole(request, maxBytes)
  } catch {
    const message = 'The body ended before it was complete. Send the request again, with the right length.'
    throw new ApiError({ code: 'invalid_request', message })
  }
}

async function readWhole(request: Request, maxBytes: number): Promise<string | undefined> {
  const stated = request.headers.get('content-length')
  if (stated !== null) {
    if (Number(stated) > maxBytes) return undefined
    // HTTP holds the body to its stated length, so that it may be read in one piece.
    return new TextDecoder().decode(await request.arrayBuffer())
  }
  if (request.body === null) return ''
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of request.body) {
    size += chunk.byteLength
    if (size > maxBytes) return undefined
    chunks.push(chunk)
  }
  const whole = new Uint8Array(size)
  let offset = 0
  for (const chunk of chunks) {
    whole.set(chunk, offset)
    offset += chunk.byteLength
  }
  return new TextDecoder().decode(whole)
}
