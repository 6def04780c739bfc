import { jwtVerify } from 'jose'
import { expect, test } from 'vitest'
import type { StoredKeySet } from '../state/orc-record.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { TokenSigner } from '../testing/token-signer.ts'
import { JwksSource, REFETCH_INTERVAL_MS } from './jwks-source.ts'

function setOf(...signers: TokenSigner[]): StoredKeySet {
  return { keys: signers.map(({ publicJwk }) => ({ ...publicJwk, kty: 'OKP' })) }
}

async function setup(stored: StoredKeySet | undefined) {
  const clock = new ManualClock()
  const state = { online: true, keys: stored ?? { keys: [] }, fetches: 0, stored }
  const source = new JwksSource({
    clock,
    stored,
    fetchKeys: async () => {
      state.fetches++
      if (!state.online) throw new Error('unreachable')
      return state.keys
    },
    store: async (keys) => {
      state.stored = keys
    },
  })
  await source.refresh()
  const accepts = async (signer: TokenSigner): Promise<boolean> => {
    const verified = jwtVerify(await signer.sign({}), source.getKey)
    return verified.then(
      () => true,
      () => false,
    )
  }
  return { clock, state, accepts }
}

test('[T7] an unknown key makes the Host ask again, at most every 30 seconds', async () => {
  const [first, second, third] = await Promise.all(['1', '2', '3'].map((id) => TokenSigner.create(id)))
  if (first === undefined || second === undefined || third === undefined) throw new Error('no keys')
  const { clock, state, accepts } = await setup(setOf(first))
  state.keys = setOf(first, second)
  expect(await accepts(second)).toBe(false)
  clock.advance(REFETCH_INTERVAL_MS)
  expect(await accepts(second)).toBe(true)
  expect(state.stored?.keys).toHaveLength(2)
  expect(state.fetches).toBe(2)
  expect(await accepts(third)).toBe(false)
  expect(await accepts(third)).toBe(false)
  expect(state.fetches).toBe(2)
})

test('[T7] stored keys verify while the Orc cannot be asked', async () => {
  const signer = await TokenSigner.create()
  const stored = setOf(signer)
  const { state, accepts, clock } = await setup(stored)
  state.online = false
  clock.advance(24 * 60 * 60 * 1000)
  expect(await accepts(signer)).toBe(true)
})
