import type { IncomingMessage } from 'node:http'
import type * as z from 'zod'
import type { Outcome } from '../outcome.ts'

/** A blocklist of a thousand texts fits. */
const LARGEST_BODY_BYTES = 1024 * 1024

/** The parsed body of a request. Where it is too large, no JSON, or no such value: why. */
export async function readControlBody<Value>(
  request: IncomingMessage,
  schema: z.ZodType<Value>,
): Promise<Outcome<Value>> {
  const chunks: Buffer[] = []
  let size = 0
  // What is left unread stays so: destroying the request would take the answer with it.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > LARGEST_BODY_BYTES) return invalid(`must be below ${LARGEST_BODY_BYTES} bytes`)
    chunks.push(chunk)
  }
  let value: unknown
  try {
    value = JSON.parse(Buffer.concat(chunks).toString())
  } catch {
    return invalid('must be JSON')
  }
  const parsed = schema.safeParse(value)
  if (parsed.success) return { ok: true, value: parsed.data }
  const [issue] = parsed.error.issues
  return invalid(`is wrong at ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'unknown'}`)
}

function invalid(problem: string): Outcome<never> {
  return { ok: false, code: 'invalid_request', message: `the body ${problem}; correct it and try again` }
}
