import type { Caller } from '../../src/objects/session/types.ts'

/** A plain caller with this credential. */
export function callerWith(keyHash: string): Caller {
  return { keyHash, network: undefined, origin: undefined, address: undefined }
}
