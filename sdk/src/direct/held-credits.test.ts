import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { eventStream, TEXT } from '../../test/answers.ts'
import { client, errorOf, request } from '../../test/client.ts'
import { askedBudgets, pass, paths, throughOrc } from '../../test/direct-scene.ts'
import { FakeHost, refused } from '../../test/fake-host.ts'
import { answer, type Fault, FakeOrc, refusal, unreachable } from '../../test/fake-orc.ts'
import { directTo } from '../../test/wires.ts'
import { connectDirect } from './connect-direct.ts'
import type { DirectOptions } from './options.ts'

/** Seconds in which the Orc holds what a token covers. */
const HELD_SECONDS = 1_200
const short = { ...request, max_tokens: 8 }

const always = (code: Parameters<typeof refused>[1]): (() => Fault) => {
  const fault = answer(() => refused(401, code))
  return () => fault
}
const everySecond =
  (code: Parameters<typeof refused>[1]): ((count: number) => Fault | undefined) =>
  (count) =>
    count % 2 === 0 ? answer(() => refused(401, code)) : undefined

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }))
afterEach(() => void vi.useRealTimers())

describe('what one Host can make the Orc hold, with a request each second', () => {
  test.each<readonly [string, (count: number) => Fault | undefined, number]>([
    ['is dead', () => unreachable, 3],
    ['calls each token expired', always('token_expired'), 3],
    ['calls each token spent', always('token_budget'), 3],
    ['calls each token invalid', always('token_invalid'), 3],
    ['misses acknowledgements', always('unacknowledged'), 3],
    ['calls each proof wrong', always('proof_invalid'), 3],
    [
      'sends empty answers',
      () => answer(() => eventStream(new Blob(['data: [DONE]\n\n']).stream(), 'host')),
      3,
    ],
    // A token that brings answers is followed by another when it ends, after five minutes.
    ['answers, and calls the token expired', everySecond('token_expired'), 8],
    ['answers, and calls the token spent', everySecond('token_budget'), 8],
    ['answers, and misses acknowledgements', everySecond('unacknowledged'), 8],
  ])('[D7] one that %s', async (_, faultOf, most) => {
    const host = new FakeHost()
    let count = 0
    const fetch: DirectOptions['fetch'] = async (url, init) => {
      const fault = url.endsWith('/completions') ? faultOf((count += 1)) : undefined
      if (fault !== undefined) host.next(fault)
      return await host.fetch(url, init)
    }
    const { orc, direct } = await directTo(host, { fetch })
    for (let second = 1; second < HELD_SECONDS; second += 1) {
      expect((await direct.chat.create(short)).choices[0]?.message.content).toBe(TEXT)
      pass(1)
    }
    const budgets = askedBudgets(orc)
    expect(budgets.length).toBeLessThanOrEqual(most)
    expect(Math.max(...budgets)).toBeLessThanOrEqual(4_181)
    expect(throughOrc(orc)).toBeGreaterThan(0)
  })

  test('a Host that can be reached again is used again, under the token that is there', async () => {
    const { host, orc, direct } = await directTo(new FakeHost())
    host.next(unreachable)
    await direct.chat.create(short)
    await direct.chat.create(short)
    expect(direct).toMatchObject({ mode: 'orchestrated', failure: { code: 'connection_error' } })
    pass(61)
    await direct.chat.create(short)
    expect(direct.mode).toBe('direct')
    // The second was to find another Host, and there is none.
    expect(askedBudgets(orc)).toHaveLength(2)
  })
})

describe('a further grant that the Orc refuses', () => {
  test.each([
    [402, 'insufficient_credits', 59],
    [429, 'rate_limited', 9],
    [503, 'no_host_available', 9],
  ] as const)(
    '[D7] %i %s: requests go through the Orc, and it is not asked each time',
    async (status, code, seconds) => {
      const { orc, direct } = await directTo(new FakeHost())
      pass(280)
      orc.next(answer(() => refusal(status, code)))
      for (const _ of [1, 2, 3]) {
        expect((await direct.chat.create(request)).choices[0]?.message.content).toBe(TEXT)
        expect(direct).toMatchObject({ mode: 'orchestrated', failure: { code } })
        pass(seconds / 3)
      }
      expect(askedBudgets(orc)).toHaveLength(2)
      pass(2)
      await direct.chat.create(request)
      expect(direct).toMatchObject({ mode: 'direct', failure: undefined })
    },
  )

  test('402 for the first one is thrown by requests neither', async () => {
    const orc = new FakeOrc(new FakeHost()).next(answer(() => refusal(503, 'no_host_available')))
    const direct = await connectDirect(client(orc), { model: 'daisi-nano', fetch: orc.hosts[0]!.fetch })
    pass(11)
    orc.next(answer(() => refusal(402, 'insufficient_credits')))
    expect((await direct.chat.create(request)).choices[0]?.message.content).toBe(TEXT)
    expect(direct.failure?.code).toBe('insufficient_credits')
  })

  test('with fallback: false it throws why', async () => {
    const { orc, direct } = await directTo(new FakeHost(), { fallback: false })
    pass(280)
    orc.next(answer(() => refusal(402, 'insufficient_credits')))
    expect(await errorOf(direct.chat.create(request))).toMatchObject({ code: 'insufficient_credits' })
  })
})

describe('how much is asked for', () => {
  test('what a request may take, and at least 2,048 tokens', async () => {
    const { orc, direct } = await directTo(new FakeHost())
    await direct.chat.create({ ...request, max_tokens: 50_000 })
    expect(direct.mode).toBe('direct')
    pass(280)
    await direct.chat.create(short)
    pass(280)
    await direct.chat.create(request)
    expect(askedBudgets(orc)).toEqual([4_160, 50_085, 2_048, 4_181])
  })

  test('twice as much after each token that was used up before its time', async () => {
    const host = new FakeHost()
    host.words = Array.from({ length: 1_000 }, () => 'word ')
    const { orc, direct } = await directTo(host)
    for (let count = 0; count < 50; count += 1) await direct.chat.create({ ...request, max_tokens: 1_000 })
    expect(askedBudgets(orc)).toEqual([4_160, 8_320, 16_384, 16_384, 16_384])
    expect(throughOrc(orc)).toBe(0)
  })

  test('answers at the same time share no tokens: what has no room goes through the Orc', async () => {
    const { host, orc, direct } = await directTo(new FakeHost())
    await Promise.all(Array.from({ length: 10 }, () => direct.chat.create(request)))
    expect([host.seen.length, throughOrc(orc)]).toEqual([2, 8])
    expect(askedBudgets(orc)).toEqual([4_160, 4_181])
    expect(paths(orc).filter((path) => path.endsWith('/direct'))).toHaveLength(1)
  })
})
