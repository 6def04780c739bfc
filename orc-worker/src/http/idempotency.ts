import { hashCredential } from '../domain/credential.ts'
import { ApiError } from './errors.ts'

/** The request's `Idempotency-Key` and a digest of its body (rule K1), or undefined if it has none. */
export async function readIdempotency(
  key: string | undefined,
  body: string,
): Promise<{ key: string; digest: string } | undefined> {
  if (key === undefined) return undefined
  if (!/^[\u0020-\u007e]{1,255}$/.test(key)) {
    const message = 'Idempotency-Key must have 1 to 255 printable ASCII characters, for instance a UUID.'
    throw new ApiError({ code: 'invalid_request', message, param: 'Idempotency-Key' })
  }
  return { key, digest: await hashCredential(body) }
}
