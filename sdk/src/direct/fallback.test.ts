import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { chunks, TEXT } from '../../test/answers.ts'
import { client, errorOf, request } from '../../test/client.ts'
import { pass, paths, throughOrc } from '../../test/direct-scene.ts'
import { FakeHost, refused } from '../../test/fake-host.ts'
import { answer, type Fault, FakeOrc, silence, unreachable } from '../../test/fake-orc.ts'
import { ManualStream } from '../../test/manual-stream.ts'
import { directTo } from '../../test/wires.ts'
import { connectDirect } from './connect-direct.ts'

const events = chunks({ ...request, stream_options: { include_usage: true } })
const broken: Fault = (seen, serve) => {
  const source = new ManualStream('host')
  source.event(events[0])
  source.break()
  return source.answer(seen, serve)
}
const failing: Fault = (seen, serve) => {
  const source = new ManualStream('host')
  source.event(events[0])
  source.event({ error: { message: 'out of memory', type: 'api_error', code: 'engine_failed', param: null } })
  return source.answer(seen, serve)
}

/** A Host that no packet reaches. */
function unreachableHost(): FakeHost {
  const host = new FakeHost()
  return Object.assign(host, {
    fetch: vi.fn<FakeHost['fetch']>(() => Promise.reject(new TypeError('fetch failed'))),
  })
}

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }))
afterEach(() => void vi.useRealTimers())

describe('a Host that cannot be reached', () => {
  test('[D7] requests go through the Orc, and the Host is not dialled for each of them', async () => {
    const host = unreachableHost()
    const { orc, direct } = await directTo(host)
    expect(direct).toMatchObject({ mode: 'orchestrated', failure: { code: 'connection_error' } })
    for (const _ of [1, 2, 3]) {
      expect((await direct.chat.create(request)).choices[0]?.message.content).toBe(TEXT)
      expect(await (await direct.chat.stream(request)).text()).toBe(TEXT)
    }
    expect(host.fetch).toHaveBeenCalledTimes(1)
    expect(throughOrc(orc)).toBe(6)
    expect(direct).toMatchObject({ mode: 'orchestrated', failure: { code: 'connection_error' } })
  })

  test('[D7] after a minute it is tried again', async () => {
    const host = unreachableHost()
    const { direct } = await directTo(host)
    pass(59)
    await direct.chat.create(request)
    expect(host.fetch).toHaveBeenCalledTimes(1)
    pass(2)
    await direct.chat.create(request)
    expect(vi.mocked(host.fetch).mock.calls.length).toBeGreaterThan(1)
  })

  test('one that does not answer the knock in time', async () => {
    const host = Object.assign(new FakeHost(), { fetch: () => new Promise<never>(() => undefined) })
    const { direct } = await directTo(host, { directTimeoutMs: 5 })
    expect(direct).toMatchObject({ mode: 'orchestrated', failure: { code: 'timeout' } })
  })

  test('one that was silent for a while is knocked at before it gets a prompt', async () => {
    const { host, direct } = await directTo(new FakeHost())
    await direct.chat.create(request)
    const knocks = (): number =>
      host.arrived.filter(({ url, body }) => url.endsWith('acknowledgements') && body === '').length
    expect(knocks()).toBe(1)
    pass(31)
    await direct.chat.create(request)
    expect(knocks()).toBe(2)
  })

  test('[D10] an address without TLS that is not private is never dialled', async () => {
    const { host, direct } = await directTo(new FakeHost('http://host.example'))
    await direct.chat.create(request)
    expect(host.arrived).toEqual([])
    expect(direct.mode).toBe('orchestrated')
  })

  test('with fallback: false it throws why, and leaves no Session open', async () => {
    const host = unreachableHost()
    const orc = new FakeOrc(host)
    const options = { model: 'daisi-nano', fetch: host.fetch, fallback: false }
    expect(await errorOf(connectDirect(client(orc), options))).toMatchObject({ code: 'connection_error' })
    expect(paths(orc)).toEqual(['POST /v1/sessions', 'DELETE /v1/sessions/sess_1'])
  })
})

describe('a Host that fails before the first text', () => {
  const failures: readonly (readonly [string, Fault, string])[] = [
    ['does not answer', unreachable, 'connection_error'],
    ['is busy', answer(() => refused(503, 'busy')), 'busy'],
    ['drains', answer(() => refused(503, 'draining')), 'draining'],
    ['limits', answer(() => refused(429, 'rate_limited')), 'rate_limited'],
    ['fails', answer(() => refused(500, 'engine_failed')), 'engine_failed'],
    ['refuses the request', answer(() => refused(400, 'context_length_exceeded')), 'context_length_exceeded'],
    ['is something else', answer(() => new Response('<html>')), 'invalid_response'],
    [
      'answers a redirect',
      answer(() => new Response(null, { status: 307, headers: { location: 'http://127.0.0.1:6379' } })),
      'invalid_response',
    ],
    ['breaks off', broken, 'stream_interrupted'],
    ['reports a failure', failing, 'engine_failed'],
  ]

  test.each(failures)('[D7] one that %s: the same request goes through the Orc', async (_, fault, code) => {
    for (const method of ['create', 'stream'] as const) {
      const { host, orc, direct } = await directTo(new FakeHost())
      host.next(fault)
      const options = { idempotencyKey: 'order-7', headers: { 'x-trace': 'on' } }
      const result = await direct.chat[method](request, options)
      const text = 'text' in result ? await result.text() : result.choices[0]?.message.content
      expect(text).toBe(TEXT)
      expect(direct).toMatchObject({ mode: 'orchestrated', failure: { code } })
      expect(host.seen).toHaveLength(1)
      expect(host.acknowledgements).toEqual([])
      const sent = orc.seen.at(-1)
      expect(sent?.body).toMatchObject(request)
      expect(sent?.headers.get('idempotency-key')).toBe('order-7')
      expect(sent?.headers.get('x-trace')).toBe('on')
    }
  })

  test.each(failures)('one that %s: with fallback: false it throws', async (_, fault, code) => {
    const { host, orc, direct } = await directTo(new FakeHost(), { fallback: false })
    host.next(fault)
    expect((await errorOf(direct.chat.stream(request))).code).toBe(code)
    expect(throughOrc(orc)).toBe(0)
  })

  test('[D7] one that never begins', async () => {
    vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'] })
    const { host, direct } = await directTo(new FakeHost())
    let hasCome = (): void => undefined
    const came = new Promise<void>((resolve) => (hasCome = resolve))
    host.next((seen, serve) => {
      hasCome()
      return silence(seen, serve)
    })
    const created = direct.chat.create(request)
    await came
    vi.advanceTimersByTime(31_000)
    expect((await created).choices[0]?.message.content).toBe(TEXT)
    expect(direct.failure?.code).toBe('timeout')
  })

  test('the time of the whole call is not spent twice', async () => {
    const { host, orc, direct } = await directTo(new FakeHost())
    host.next(silence, silence)
    expect(await errorOf(direct.chat.create(request, { timeoutMs: 5 }))).toMatchObject({ code: 'timeout' })
    expect(throughOrc(orc)).toBe(0)
  })

  test('[A7] a caller who leaves meanwhile is not sent through the Orc', async () => {
    const { host, orc, direct } = await directTo(new FakeHost())
    const controller = new AbortController()
    host.next((seen, serve) => {
      controller.abort()
      return silence(seen, serve)
    })
    expect((await errorOf(direct.chat.create(request, { signal: controller.signal }))).code).toBe('aborted')
    expect(throughOrc(orc)).toBe(0)
    expect(host.seen[0]?.signal.aborted).toBe(true)
  })
})

test('[D7] after the first text nothing is sent again: stream_interrupted', async () => {
  const { host, orc, direct } = await directTo(new FakeHost())
  const source = new ManualStream('host')
  host.next(source.answer)
  source.event(events[1])
  const stream = await direct.chat.stream(request)
  source.break()
  expect(await errorOf(stream.text())).toMatchObject({ code: 'stream_interrupted', isRetryable: true })
  expect(throughOrc(orc)).toBe(0)
  await vi.waitFor(() => expect(host.acknowledgements).toMatchObject([{ generatedTokens: 1 }]))
})

describe('what does not belong to the connection goes through the Orc', () => {
  test.each([
    ['another model', { ...request, model: 'other' }, {}],
    ['another Network', request, { network: 'work' }],
    ['another Session', request, { session: 'sess_1' }],
  ])('%s', async (_, asked, options) => {
    const { host, orc, direct } = await directTo(new FakeHost(), { network: 'home' })
    await direct.chat.create(asked, options)
    expect(host.seen).toEqual([])
    expect(direct).toMatchObject({ mode: 'orchestrated', failure: { code: 'invalid_request' } })
    expect(throughOrc(orc)).toBe(1)
  })

  test('what falls back stays on the Network of the connection', async () => {
    const { host, orc, direct } = await directTo(new FakeHost(), { network: 'home' })
    host.next(unreachable)
    await direct.chat.create(request)
    expect(orc.seen.at(-1)?.headers.get('daisi-network')).toBe('home')
  })
})

test('[D1] a certificate of its own is pinned, with one fetch for it', async () => {
  const certificate = 'ab'.repeat(32)
  const host = new FakeHost()
  host.grants = { certificate_sha256: certificate }
  const pinnedFetch = vi.fn<(sha256: string) => FakeHost['fetch']>(() => host.fetch)
  const { direct } = await directTo(host, {
    pinnedFetch,
    fetch: () => Promise.reject(new TypeError('not this one')),
  })
  pass(280)
  await direct.chat.create(request)
  expect(direct.mode).toBe('direct')
  expect(pinnedFetch.mock.calls).toEqual([[certificate]])
})
