import type { AppContext } from './context.ts'
import { ApiError } from './errors.ts'

/** The Bearer token of the request (RFC 6750 §2.1). */
export function bearer(c: AppContext): string {
  const header = c.req.header('authorization')
  if (header === undefined) {
    throw new ApiError({
      code: 'missing_credentials',
      message: 'Send the header `Authorization: Bearer <key>`.',
    })
  }
  return bearerToken(header)
}

/**
 * The same for Consumers, some of whose clients send `x-api-key` instead, or beside a token that is meant for somebody else: what looks
 * like ours counts, of two that do the Bearer token (rule A1).
 */
export function consumerKey(c: AppContext): string {
  const key = c.req.header('x-api-key')
  if (key === undefined) return bearer(c)
  const header = c.req.header('authorization')
  const token = header === undefined ? '' : bearerToken(header)
  if (token.startsWith('daisi_')) return token
  return /^[\u0021-\u007e]{1,8192}$/.test(key) ? key : ''
}

function bearerToken(header: string): string {
  const [, token = ''] = /^Bearer ([\u0021-\u007e]{1,8192})$/i.exec(header) ?? []
  return token
}

/** The one answer to every wrong credential. */
export function invalidCredential(): ApiError {
  return new ApiError({
    code: 'invalid_api_key',
    message: 'This key is not valid here. Check it, or create a new one.',
  })
}
