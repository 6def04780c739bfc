/**
 * Close codes of the Host wire, in the private 4000–4999 range of RFC 6455 §7.4.2. The last two digits mirror the HTTP
 * status of the same meaning.
 */
export const CloseCode = {
  /** A message or frame could not be parsed. */
  BadMessage: 4400,
  /** The Host's key is unknown here or its proof is wrong. */
  Unauthorized: 4401,
  /** The Host was removed or its key revoked. It must not reconnect. */
  Revoked: 4403,
  /** Nothing was heard in time. */
  Timeout: 4408,
  /** A newer connection with the same key took over. The older agent must not reconnect (rule C6). */
  Superseded: 4409,
  /** A message or frame was larger than the limit. */
  TooLarge: 4413,
  /** More messages than one Host may send (rule Y4). It comes back after a while. */
  TooManyMessages: 4429,
  /** The Host's wire version is below the floor. It must be updated. */
  VersionTooOld: 4426,
} as const
export type CloseCode = (typeof CloseCode)[keyof typeof CloseCode]

const FINAL: ReadonlySet<number> = new Set([
  CloseCode.Unauthorized,
  CloseCode.Revoked,
  CloseCode.Superseded,
  CloseCode.VersionTooOld,
])

/** True if an agent that was closed with this code must stop instead of reconnecting. */
export function isFinalClose(code: number): boolean {
  return FINAL.has(code)
}
