import type { SpendClass } from '@daisi/protocol'
import { expect, test } from 'vitest'
import type { Candidate, PickResult } from './pick.ts'
import { type NetworkPick, inSpendOrder } from './spend-order.ts'

const model = { id: 'm', contextLength: 1, kinds: ['chat' as const], capabilities: [] }

function candidate(hostId: string): Candidate {
  // By convention of this file, Hosts of one's own begin with an o.
  const own = hostId.startsWith('o')
  const here = { state: 'loaded', freeSlots: 1, tokensPerSecond: undefined } as const
  return { hostId, connectionId: 'c', alias: hostId, model, sameAccount: own, own, ...here }
}

function network(name: string, ...hostIds: string[]): NetworkPick {
  const kind = name === 'public' ? 'public' : 'private'
  return { network: name, kind, result: { ok: true, candidates: hostIds.map(candidate) } }
}

function without(name: string, reason: Extract<PickResult, { ok: false }>['reason']): NetworkPick {
  return { network: name, kind: name === 'public' ? 'public' : 'private', result: { ok: false, reason } }
}

const ALL: SpendClass[] = ['own', 'private', 'public']

test.for<[string, SpendClass[], NetworkPick[], string[]]>([
  [
    'own, then private, then public',
    ALL,
    [network('public', 'p', 'o'), network('home', 'h')],
    ['o', 'h', 'p'],
  ],
  [
    'the order that is asked for',
    ['public', 'private'],
    [network('home', 'h'), network('public', 'p')],
    ['p', 'h'],
  ],
  [
    'a class that is left out is not used',
    ['own', 'private'],
    [network('public', 'p'), network('home', 'h')],
    ['h'],
  ],
  [
    'own Hosts count as their Network’s where own is left out',
    ['public'],
    [network('public', 'p', 'o'), network('home', 'o2')],
    ['p', 'o'],
  ],
  ['a directory’s order stays', ALL, [network('public', 'p2', 'p1', 'p3')], ['p2', 'p1', 'p3']],
  [
    'a Host of two Networks is tried once, where it costs least',
    ALL,
    [network('public', 'x'), network('home', 'x')],
    ['x'],
  ],
  [
    'no more than four',
    ALL,
    [network('public', 'a', 'b', 'c'), network('home', 'd', 'e')],
    ['d', 'e', 'a', 'b'],
  ],
])('%s', ([, order, picks, expected]) => {
  const choices = inSpendOrder(picks, order)
  expect(choices.ok && choices.choices.map(({ hostId }) => hostId)).toEqual(expected)
})

test('a Host of two Networks runs on the one that comes first in the order', () => {
  const choices = inSpendOrder([network('public', 'x'), network('home', 'x')], ALL)
  expect(choices).toMatchObject({ ok: true, choices: [{ hostId: 'x', network: 'home' }] })
})

test.for<[NetworkPick[], string]>([
  [[without('public', 'no_host_online'), without('home', 'no_host_accepts_work')], 'no_host_accepts_work'],
  [[without('public', 'no_host_serves_model'), without('home', 'no_host_online')], 'no_host_serves_model'],
  [[without('public', 'no_host_online')], 'no_host_online'],
  [[], 'no_host_online'],
])('the reason that says most is told', ([picks, reason]) => {
  expect(inSpendOrder(picks, ALL)).toEqual({ ok: false, reason })
})

test('Hosts that the order leaves out are as if they did not serve the model', () => {
  expect(inSpendOrder([network('public', 'p')], ['own'])).toEqual({
    ok: false,
    reason: 'no_host_serves_model',
  })
})
