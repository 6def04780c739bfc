import type { ModelOffer, ModelState } from '@daisi/protocol'
import { expect, test } from 'vitest'
import { type Presence, type Requirements, pick } from './pick.ts'

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
const needed: Requirements = { model: 'm', kind: 'chat', accountId: 'me', ownOnly: false }
const order = (hosts: Presence[], random = (): number => 0, ownOnly = false): string[] =>
  orderFor({ ownOnly }, hosts, random)
function orderFor(wanted: Partial<Requirements>, hosts: Presence[], random = (): number => 0): string[] {
  const result = pick(hosts, { ...needed, ...wanted }, random)
  return result.ok ? result.candidates.map((candidate) => candidate.hostId) : [result.reason]
}
/** Offers of a model with these differences, one each. */
const offering = (...offers: Partial<ModelOffer>[]): ModelOffer[] =>
  offers.map((offer) => ({ id: 'm', contextLength: 10, kinds: ['chat'], capabilities: [], ...offer }))
const inState = (state: ModelState['state'], over: Partial<Presence> = {}): Presence =>
  host(state, { states: [{ id: 'm', state }], ...over })

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

test('[H11] loaded models come before those being loaded, these before unloaded ones, and failed ones not at all', () => {
  const hosts = [
    inState('unloaded', { freeSlots: 9 }),
    inState('failed', { freeSlots: 9 }),
    inState('loading', { freeSlots: 9 }),
    inState('loaded'),
    host('unnamed', { states: [{ id: 'other', state: 'failed' }], freeSlots: 0 }),
  ]
  expect(order(hosts)).toEqual(['loaded', 'unnamed', 'loading', 'unloaded'])
  expect(order([inState('failed')])).toEqual(['model_failed'])
  expect(order([host('loaded'), inState('unloaded', { accountId: 'me' })])).toEqual(['unloaded', 'loaded'])
})

test('[H9] a model is found by id or alias, the id first, and only for its kind', () => {
  const both = host('both', { models: offering({ id: 'x', aliases: ['m'] }, { id: 'm' }) })
  const alias = host('alias', { models: offering({ id: 'x', aliases: ['n', 'm'] }) })
  const image = host('image', { models: offering({ aliases: ['m'], kinds: ['image'] }) })
  const result = pick([both, alias, image], needed, () => 0)
  const found = result.ok && result.candidates.map(({ hostId, model }) => [hostId, model.id])
  expect(found).toEqual([
    ['both', 'm'],
    ['alias', 'x'],
  ])
  expect(orderFor({ kind: 'image' }, [both, alias, image])).toEqual(['image'])
})

test('[A9] a Host that lacks an ability is not named, and without another what the best one lacks is told', () => {
  const none = host('none')
  const seed = host('seed', { models: offering({ capabilities: ['seed', 'unheard-of'] }) })
  const all = host('all', { models: offering({ capabilities: ['seed', 'min-p'] }) })
  const capabilities = ['seed', 'min-p']
  expect(orderFor({ capabilities }, [none, seed, all])).toEqual(['all'])
  const refused = { ok: false, reason: 'no_host_has_capabilities', missing: ['min-p'] }
  expect(pick([none, seed], { ...needed, capabilities }, () => 0)).toEqual(refused)
  // It can and will again: asking later helps, leaving something out is not needed.
  expect(orderFor({ capabilities }, [none, { ...all, accepting: false }])).toEqual(['no_host_accepts_work'])
})

test("[T8] Hosts of the Consumer's account are known as such, also without a free slot", () => {
  const hosts = [host('own', { accountId: 'me', freeSlots: 0 }), host('other')]
  const result = pick(hosts, needed, () => 0)
  const told =
    result.ok && result.candidates.map(({ hostId, sameAccount, own }) => [hostId, sameAccount, own])
  expect(told).toEqual([
    ['other', false, false],
    ['own', true, false],
  ])
})

const [a, b] = [host('a', { freeSlots: 2 }), host('b')]
const paused = host('paused', { accepting: false })
test.for<[string, Partial<Requirements>, Presence[], string[]]>([
  ['the one that is named', { host: 'b' }, [a, b], ['b']],
  ['none in its place', { host: 'c' }, [a, b], ['no_host_allowed']],
  ['none of nobody', { host: 'b' }, [], ['no_host_online']],
  ['the one that is named, as it is', { host: 'paused' }, [a, paused], ['no_host_accepts_work']],
  ['its other models', { host: 'b', model: 'x' }, [a, b], ['no_host_serves_model']],
  ['all but those excluded', { excludeHosts: ['a', 'z'] }, [a, b], ['b']],
  ['nobody if all are', { excludeHosts: ['a', 'b'] }, [a, b], ['no_host_allowed']],
  ['nobody if the named one is excluded', { host: 'a', excludeHosts: ['a'] }, [a, b], ['no_host_allowed']],
  ['no stranger where only own Hosts will do', { host: 'a', ownOnly: true }, [a], ['no_host_online']],
])('[G3] of Hosts it names %s', ([, wanted, hosts, named]) => {
  expect(orderFor(wanted, hosts)).toEqual(named)
})

test('a list may be longer than what is tried', () => {
  const hosts = ['a', 'b', 'c', 'd', 'e', 'f'].map((id) => host(id))
  const result = pick(hosts, needed, () => 0, 5)
  expect(result.ok && result.candidates).toHaveLength(5)
})
