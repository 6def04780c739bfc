import { randomInt } from 'node:crypto'

const TWO_POW_32 = 2 ** 32

/**
 * The seed of one token. It depends only on the job's seed and the token's place in the answer, so an answer that is
 * continued elsewhere from token ids goes on with the same random stream. The mixing is MurmurHash3's finalizer.
 */
export function seedAt(seed: number, position: number): number {
  const high = Math.floor(seed / TWO_POW_32) >>> 0
  let hash = (seed >>> 0) ^ Math.imul(high, 0x9e37_79b1) ^ Math.imul(position + 1, 0x85eb_ca6b)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

/** A seed for a job that names none. */
export function randomSeed(): number {
  return randomInt(TWO_POW_32)
}
