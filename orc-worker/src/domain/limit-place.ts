import { base64UrlEncode } from './base64url.ts'
import type { LimitName } from './rate-limits.ts'

/** Objects that share the limits by address, and as many those by account. */
const SHARDS = 32

/** Whose permits these are. */
export interface LimitSubject {
  readonly by: 'address' | 'account'
  /** An address block, or the id of a person or an account. */
  readonly id: string
}

/** Where a limit of somebody is kept: under a name in one of the objects of its kind. */
export interface LimitPlace {
  readonly by: LimitSubject['by']
  readonly shard: number
  readonly name: string
}

/** Where a limit of somebody is kept. Keyed, so that nobody can choose with whom to share an object, and no address lies about. */
export async function placeOf(
  limit: LimitName,
  { by, id }: LimitSubject,
  macKey: CryptoKey,
): Promise<LimitPlace> {
  const text = new TextEncoder().encode(`${by}\n${id}`)
  const mac = new Uint8Array(await crypto.subtle.sign('HMAC', macKey, text))
  const name = `${limit}:${base64UrlEncode(mac.subarray(0, 16))}`
  return { by, shard: (mac[16] ?? 0) % SHARDS, name }
}
