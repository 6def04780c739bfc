import { describe, expect, test } from 'vitest'
import { permit, refuseModel } from './permission.ts'
import type { Caller, NetworkAccess, SessionRecord } from './types.ts'

const PUBLIC: NetworkAccess = { name: 'public', kind: 'public', cidrs: [] }
const OFFICE: NetworkAccess = { name: 'office', kind: 'private', cidrs: ['10.0.0.0/8', 'fd00::/8'] }
const NOW = 1_000

const RECORD: SessionRecord = {
  sessionId: 'ses',
  network: null,
  networks: [PUBLIC, OFFICE],
  spendOrder: ['own', 'private', 'public'],
  models: null,
  origins: null,
  mode: 'orchestrated',
  accountId: 'acc',
  keyId: 'key',
  keyHash: 'hash',
  scopes: ['inference'],
  keyExpiresAt: null,
  budget: null,
  expiresAt: null,
  status: 'open',
}

const caller = (over: Partial<Caller>): Caller => ({
  keyHash: 'hash',
  network: undefined,
  origin: undefined,
  address: undefined,
  ...over,
})

function networksFor(over: Partial<Caller>, record = RECORD): string[] | string {
  const permitted = permit(record, caller(over), 'inference', 'key', NOW)
  return permitted.ok ? permitted.record.networks.map(({ name }) => name) : permitted.code
}

describe('[N4] where a caller comes from decides which Networks it may use', () => {
  test.for([
    ['10.1.2.3', ['public', 'office']],
    ['::ffff:10.1.2.3', ['public', 'office']],
    ['fd12::1', ['public', 'office']],
    ['11.1.2.3', ['public']],
    ['2001:db8::1', ['public']],
    ['nonsense', ['public']],
    [undefined, ['public']],
  ] as const)('%s: %j', ([address, networks]) => {
    expect(networksFor({ address })).toEqual(networks)
  })

  test('one that may use none of them, or not the one it names, is refused', () => {
    const inside = { ...RECORD, networks: [OFFICE] }
    expect(networksFor({ address: '10.1.2.3' }, inside)).toEqual(['office'])
    expect(networksFor({ address: '11.1.2.3' }, inside)).toBe('network_not_allowed')
    expect(networksFor({}, inside)).toBe('network_not_allowed')
    expect(networksFor({ address: '11.1.2.3', network: 'office' })).toBe('network_not_allowed')
    expect(networksFor({ address: '10.1.2.3', network: 'office' })).toEqual(['office'])
    expect(networksFor({ network: 'elsewhere' })).toBe('network_not_allowed')
  })
})

test('an end counts from its very millisecond: of the key, or of the Session where that is shown', () => {
  const code = (record: Partial<SessionRecord>, shown: 'key' | 'session'): string | undefined => {
    const permitted = permit({ ...RECORD, ...record }, caller({}), 'inference', shown, NOW)
    return permitted.ok ? undefined : permitted.code
  }
  expect(code({ keyExpiresAt: NOW }, 'key')).toBe('invalid_api_key')
  expect(code({ keyExpiresAt: NOW + 1 }, 'key')).toBe(undefined)
  expect(code({ expiresAt: NOW }, 'key')).toBe(undefined)
  expect(code({ expiresAt: NOW }, 'session')).toBe('invalid_api_key')
  expect(code({ expiresAt: NOW + 1 }, 'session')).toBe(undefined)
  expect(code({ status: 'revoked' }, 'key')).toBe('invalid_api_key')
})

test('what is refused first tells least', () => {
  const worst = { ...RECORD, status: 'revoked' as const, origins: ['https://a'], scopes: [], networks: [] }
  const code = (record: SessionRecord): string | undefined => {
    const permitted = permit(record, caller({ origin: 'https://b' }), 'usage', 'key', NOW)
    return permitted.ok ? undefined : permitted.code
  }
  expect(code(worst)).toBe('invalid_api_key')
  expect(code({ ...worst, status: 'open' })).toBe('origin_not_allowed')
  expect(code({ ...worst, status: 'open', origins: ['https://b'] })).toBe('insufficient_scope')
  expect(code({ ...worst, status: 'open', origins: null, scopes: ['usage'] })).toBe('network_not_allowed')
})

test('models: null is every one, a list is what it names', () => {
  expect(refuseModel(RECORD, 'any')).toBe(undefined)
  expect(refuseModel({ ...RECORD, models: ['a'] }, 'a')).toBe(undefined)
  expect(refuseModel({ ...RECORD, models: ['a'] }, 'A')?.code).toBe('model_not_allowed')
  expect(refuseModel({ ...RECORD, models: [] }, 'a')?.code).toBe('model_not_allowed')
})
