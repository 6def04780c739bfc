import type { KeyScope, SpendClass } from '@daisi/protocol'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { KeyRecord } from '../../db/key-access.ts'
import { grantedRecord, plainRecord } from './record.ts'
import type { NetworkAccess, SessionRecord } from './types.ts'

const SCOPES: KeyScope[] = ['inference', 'sessions', 'usage']
const CLASSES: SpendClass[] = ['own', 'private', 'public']
const MODELS = ['a', 'b', 'c']
const NETWORKS: NetworkAccess[] = ['public', 'office', 'home'].map((name) => ({
  name,
  kind: name === 'public' ? 'public' : 'private',
  cidrs: [],
}))

const key: fc.Arbitrary<KeyRecord> = fc.record({
  keyId: fc.constant('key'),
  accountId: fc.constant('acc'),
  scopes: fc.subarray(SCOPES),
  networks: fc.subarray(NETWORKS),
  models: fc.option(fc.subarray(MODELS)),
  spendOrder: fc.option(fc.shuffledSubarray(CLASSES)),
  expiresAt: fc.option(fc.nat(100)),
})

/** Everything that a record allows, one by one. */
function rightsOf({ scopes, networks, models, spendOrder }: SessionRecord): string[] {
  return [
    ...scopes.map((scope) => `scope ${scope}`),
    ...networks.map(({ name }) => `network ${name}`),
    ...(models ?? [...MODELS, 'any other']).map((model) => `model ${model}`),
    ...spendOrder.map((spendClass) => `class ${spendClass}`),
  ].toSorted()
}

test('[B2] what was opened may do what it was granted and its key still may, in the key’s order, until the earlier end', async () => {
  await fc.assert(
    fc.asyncProperty(key, key, fc.nat(100), async (before, now, end) => {
      const grant = { ...(await plainRecord(before, 'hash')), expiresAt: end }
      const present = await plainRecord(now, 'hash')
      const record = grantedRecord(grant, now)
      const allowed = rightsOf(present)
      expect(rightsOf(record)).toEqual(rightsOf(grant).filter((right) => allowed.includes(right)))
      expect(record.spendOrder).toEqual(
        present.spendOrder.filter((spendClass) => record.spendOrder.includes(spendClass)),
      )
      expect(record.expiresAt).toBe(Math.min(end, now.expiresAt ?? end))
      expect(record.keyExpiresAt).toBe(now.expiresAt)
      expect(record.sessionId).toBe(grant.sessionId)
    }),
  )
})

test('a Network’s addresses are those of now, not of when the Session was opened', async () => {
  const before: KeyRecord = {
    keyId: 'key',
    accountId: 'acc',
    scopes: ['inference'],
    networks: NETWORKS,
    models: null,
    spendOrder: null,
    expiresAt: null,
  }
  const grant = await plainRecord(before, 'hash')
  const networks = NETWORKS.map((network) => ({ ...network, cidrs: ['10.0.0.0/8'] }))
  expect(grantedRecord(grant, { ...before, networks }).networks).toEqual(networks)
})
