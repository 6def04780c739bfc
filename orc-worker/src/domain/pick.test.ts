import { expect, test } from 'vitest'
import { type Presence, pick } from './pick.ts'

const host = (hostId: string, over: Partial<Presence> = {}): Presence => ({
  hostId,
  alias: hostId,
  accountId: 'stranger',
  connectionId: 'c',
  models: [{ id: 'm', contextLength: 10, kinds: ['chat'], capabilities: [] }],
  freeSlots: 1,
  accepting: true,
  tokensPerSecond: undefined,
  ...over,
})
const order = (hosts: Presence[], random = (): number => 0, ownOnly = false): string[] => {
  const result = pick(hosts, { model: 'm', kind: 'chat', accountId: 'me', ownOnly }, random)
  return result.ok ? result.candidates.map((candidate) => candidate.hostId) : [result.reason]
}

test('free slots come first, then speed', () => {
  const hosts = [
    host('slow', { tokensPerSecond: 1 }),
    host('fast', { tokensPerSecond: 9 }),
    host('free', { freeSlots: 2 }),
  ]
  expect(order(hosts)).toEqual(['free', 'fast', 'slow'])
})

test('equals are shuffled', () => {
  const numbers = [0.9, 0.1]
  expect(order([host('a'), host('b')], () => numbers.shift() ?? 0)).toEqual(['b', 'a'])
})

test('full Hosts are asked last, since they may queue', () => {
  expect(order([host('full', { freeSlots: 0 }), host('free')])).toEqual(['free', 'full'])
})

test("the Consumer's own Hosts come first while they have a free slot", () => {
  const own = host('own', { accountId: 'me' })
  expect(order([host('free', { freeSlots: 9 }), own])).toEqual(['own', 'free'])
  expect(order([host('free', { freeSlots: 9 }), { ...own, freeSlots: 0 }])).toEqual(['free', 'own'])
})

test('where no other will do, only own Hosts are named', () => {
  const own = host('own', { accountId: 'me' })
  expect(order([host('free'), own], () => 0, true)).toEqual(['own'])
  expect(order([host('free')], () => 0, true)).toEqual(['no_host_online'])
})

test('at most four are tried', () => {
  expect(order(['a', 'b', 'c', 'd', 'e', 'f'].map((id) => host(id)))).toHaveLength(4)
})

test('the reason says why there is none', () => {
  expect(order([])).toEqual(['no_host_online'])
  expect(order([host('other', { models: [] })])).toEqual(['no_host_serves_model'])
  expect(
    order([host('image', { models: [{ id: 'm', contextLength: 1, kinds: ['image'], capabilities: [] }] })]),
  ).toEqual(['no_host_serves_model'])
  expect(order([host('paused', { accepting: false })])).toEqual(['no_host_accepts_work'])
})
