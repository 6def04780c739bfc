import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { client, errorOf, request } from '../../test/client.ts'
import { pass, paths, throughOrc } from '../../test/direct-scene.ts'
import { FakeHost, refused } from '../../test/fake-host.ts'
import { answer, FakeOrc, refusal, unreachable } from '../../test/fake-orc.ts'
import { directTo } from '../../test/wires.ts'
import { connectDirect } from './connect-direct.ts'
import type { DirectOptions } from './options.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }))
afterEach(() => void vi.useRealTimers())

describe('renewal', () => {
  const grants = (orc: FakeOrc): number => paths(orc).filter((path) => path.endsWith('/direct')).length

  test.each(['proof_invalid', 'job_replayed'] as const)(
    '%s: a new proof, and the request goes directly under the same token',
    async (code) => {
      const { host, orc, direct } = await directTo(new FakeHost())
      host.next(answer(() => refused(401, code)))
      await direct.chat.create(request)
      expect(direct).toMatchObject({ mode: 'direct', failure: undefined })
      expect([grants(orc), throughOrc(orc)]).toEqual([0, 0])
      expect(new Set(host.seen.map(({ headers }) => headers.get('dpop'))).size).toBe(2)
    },
  )

  test.each(['unacknowledged', 'token_budget'] as const)(
    '%s after an answer can be true: a new token, and the request goes directly',
    async (code) => {
      const { host, orc, direct } = await directTo(new FakeHost())
      await direct.chat.create(request)
      host.next(answer(() => refused(401, code)))
      await direct.chat.create(request)
      expect(direct).toMatchObject({ mode: 'direct', failure: undefined })
      expect([grants(orc), throughOrc(orc)]).toEqual([1, 0])
      expect(new Set(host.seen.map(({ headers }) => headers.get('authorization'))).size).toBe(2)
    },
  )

  test('token_expired of one that ended on its way: a new token', async () => {
    const { host, orc, direct } = await directTo(new FakeHost())
    host.next((seen) => {
      pass(301)
      return seen && refused(401, 'token_expired')
    })
    await direct.chat.create(request)
    expect(direct.mode).toBe('direct')
    expect([grants(orc), throughOrc(orc)]).toEqual([1, 0])
  })

  test.each(['token_expired', 'token_invalid', 'token_audience', 'unacknowledged', '__proto__'])(
    '[D7] %s about a token that is good is the Host’s own fault: it gets the request once, and no other for a minute',
    async (code) => {
      const { host, orc, direct } = await directTo(new FakeHost())
      host.next(answer(() => refused(401, code as 'token_expired')))
      await direct.chat.create({ ...request, max_tokens: 8 })
      expect([host.seen.length, grants(orc), throughOrc(orc)]).toEqual([1, 0, 1])
      expect(direct.failure?.code).toBe(code)
    },
  )

  test('a token that ends within half a minute is replaced before it is used', async () => {
    const { host, orc, direct } = await directTo(new FakeHost())
    pass(269)
    await direct.chat.create(request)
    expect(grants(orc)).toBe(0)
    pass(2)
    const short = { ...request, max_tokens: 8 }
    await Promise.all([direct.chat.create(short), direct.chat.create(short)])
    expect(grants(orc)).toBe(1)
    expect(host.seen).toHaveLength(3)
    expect(direct.mode).toBe('direct')
  })

  test('a token that is nearly spent is replaced before it is used', async () => {
    const host = new FakeHost()
    host.grants = { budget: 700 }
    host.words = Array.from({ length: 150 }, () => 'word ')
    const { orc, direct } = await directTo(host)
    await direct.chat.create(request)
    expect(grants(orc)).toBe(0)
    await direct.chat.create(request)
    expect(grants(orc)).toBe(1)
  })

  test('a long request asks for a token that covers it', async () => {
    const { orc, direct } = await directTo(new FakeHost())
    await direct.chat.create({ ...request, max_tokens: 50_000 })
    expect(orc.seen[1]?.body).toMatchObject({ model: 'daisi-nano', budget: 50_085 })
  })

  test('a Session that ended is followed by another', async () => {
    const { orc, direct } = await directTo(new FakeHost())
    await client(orc).sessions.close('sess_1')
    pass(280)
    await direct.chat.create(request)
    expect(paths(orc).filter((path) => path === 'POST /v1/sessions')).toHaveLength(2)
    expect(direct.mode).toBe('direct')
  })

  test('but not one with a budget: another would have the whole of it again', async () => {
    const { orc, direct } = await directTo(new FakeHost(), { budget: 500 })
    await client(orc).sessions.close('sess_1')
    pass(280)
    await direct.chat.create(request)
    expect(paths(orc).filter((path) => path === 'POST /v1/sessions')).toHaveLength(1)
    expect(direct).toMatchObject({ mode: 'orchestrated', failure: { code: 'session_closed' } })
  })

  test('without a Host the Orc is asked again as it says, and not for each request', async () => {
    const orc = new FakeOrc()
    const host = new FakeHost()
    orc.next(answer(() => refusal(503, 'no_host_available', { 'retry-after': '20' })))
    const direct = await connectDirect(client(orc), { model: 'daisi-nano', fetch: host.fetch })
    orc.hosts.push(host)
    pass(19)
    await direct.chat.create(request)
    expect(direct).toMatchObject({ mode: 'orchestrated', failure: { code: 'no_host_available' } })
    pass(2)
    await direct.chat.create(request)
    expect(direct).toMatchObject({ mode: 'direct', failure: undefined })
  })

  test('[D7] when a Host fails, the next request asks for another', async () => {
    const first = new FakeHost('https://first.test')
    const second = new FakeHost('https://second.test')
    const orc = new FakeOrc(first)
    const fetch: DirectOptions['fetch'] = (url, init) =>
      (url.startsWith(first.endpoint) ? first : second).fetch(url, init)
    const direct = await connectDirect(client(orc), { model: 'daisi-nano', fetch })
    first.next(unreachable)
    await direct.chat.create(request)
    orc.hosts[0] = second
    await direct.chat.create(request)
    expect(direct).toMatchObject({ mode: 'direct', host: { endpoint: 'https://second.test' } })
    expect([first.seen.length, second.seen.length]).toEqual([1, 1])
  })

  test.each([
    [401, 'invalid_api_key'],
    [402, 'insufficient_credits'],
    [403, 'insufficient_scope'],
  ] as const)('%i %s of the Orc is thrown: its other way would say the same', async (status, code) => {
    const orc = new FakeOrc(new FakeHost()).next(answer(() => refusal(status, code)))
    const connecting = connectDirect(client(orc), { model: 'daisi-nano', fetch: orc.hosts[0]!.fetch })
    expect(await errorOf(connecting)).toMatchObject({ status, code })
    expect(throughOrc(orc)).toBe(0)
  })
})

describe('a page whose own server asks for Hosts', () => {
  test('[D2] the Orc is asked for no Session, and the Host is the one that was named', async () => {
    const host = new FakeHost()
    const server = client(new FakeOrc(host))
    const requestHost: DirectOptions['requestHost'] = async (direct) =>
      (await server.sessions.create({ mode: 'direct', direct })).direct!
    const { orc, direct } = await directTo(host, { requestHost })
    await direct.chat.create(request)
    expect(direct).toMatchObject({ mode: 'direct', failure: undefined })
    pass(280)
    await direct.chat.create(request)
    expect(direct.mode).toBe('direct')
    await direct.close()
    expect(orc.seen).toEqual([])
  })

  test('[D7] where the server fails, requests go through the Orc', async () => {
    const cause = new Error('signed out')
    const { orc, direct } = await directTo(new FakeHost(), { requestHost: () => Promise.reject(cause) })
    await direct.chat.create(request)
    expect(direct).toMatchObject({ mode: 'orchestrated', failure: { code: 'direct_unavailable', cause } })
    expect(paths(orc)).toEqual(['POST /v1/chat/completions'])
  })
})
