import { describe, expect, test } from 'vitest'
import { TEXT } from '../test/answers.ts'
import { chatOn, client, errorOf, request, TestClock } from '../test/client.ts'
import { FakeOrc, answer, answerLost, json, refusal, unreachable } from '../test/fake-orc.ts'
import { retryAfterMs } from './retry.ts'

const keys = (orc: FakeOrc): unknown[] => orc.seen.map(({ headers }) => headers.get('idempotency-key'))
const busy = answer(() => refusal(503, 'all_hosts_busy'))

describe('idempotency keys', () => {
  test('[K1] every attempt of a call has the same key, and every call its own', async () => {
    const orc = new FakeOrc().next(unreachable, busy)
    const chat = chatOn(orc, new TestClock())
    expect((await chat.create(request)).choices[0]?.message.content).toBe(TEXT)
    await chat.create(request)
    const [first, second, third, other] = keys(orc)
    expect(first).toMatch(/^[\x21-\x7e]{1,255}$/)
    expect([second, third]).toEqual([first, first])
    expect(other).not.toBe(first)
    expect(orc.charged).toBe(2)
  })

  test("[K1] the caller's key is used as it is", async () => {
    const orc = new FakeOrc().next(busy)
    await (await chatOn(orc, new TestClock()).stream(request, { idempotencyKey: 'order-7' })).text()
    expect(keys(orc)).toEqual(['order-7', 'order-7'])
  })

  test('[K2] an answer that was lost on its way is charged once and says so', async () => {
    const orc = new FakeOrc().next(answerLost)
    const error = await errorOf(chatOn(orc, new TestClock()).create(request))
    expect(error).toMatchObject({ code: 'request_already_processed', status: 409, isRetryable: false })
    expect(orc.seen).toHaveLength(2)
    expect(orc.charged).toBe(1)
  })

  test('[K2] while the first attempt still runs, the next waits for it', async () => {
    const running = answer(() => refusal(409, 'request_in_progress', { 'retry-after': '1' }))
    const clock = new TestClock()
    const error = await errorOf(
      chatOn(new FakeOrc().next(unreachable, running, answerLost), clock).create(request),
    )
    expect(error.code).toBe('connection_error')
    expect(clock.waits).toEqual([250, 1_125])
  })

  test('[K2] a key for another body is refused', async () => {
    const chat = chatOn(new FakeOrc(), new TestClock())
    await chat.create(request, { idempotencyKey: 'k' })
    const error = await errorOf(chat.create({ ...request, seed: 1 }, { idempotencyKey: 'k' }))
    expect(error).toMatchObject({ code: 'idempotency_key_reused', status: 422 })
  })

  test.each(['', 'ключ', 'a\nb', 'k'.repeat(256)])(
    '[K1] the key %j is refused, and nothing is sent',
    async (key) => {
      const orc = new FakeOrc()
      const error = await errorOf(client(orc).chat.create(request, { idempotencyKey: key }))
      expect(error).toMatchObject({ code: 'invalid_request', param: 'idempotencyKey' })
      expect(orc.seen).toHaveLength(0)
    },
  )

  test('requests that change nothing carry none', async () => {
    const orc = new FakeOrc()
    await client(orc).models.list()
    expect(keys(orc)).toEqual([null])
  })
})

describe('which answers are retried', () => {
  test.each([408, 429, 500, 502, 503, 504])('[K4] %i is', async (status) => {
    const clock = new TestClock()
    const orc = new FakeOrc().next(answer(() => json({}, status)))
    await chatOn(orc, clock).create(request)
    expect(orc.seen).toHaveLength(2)
    expect(clock.waits).toEqual([250])
  })

  test.each([
    [400, 'invalid_request'],
    [401, 'invalid_api_key'],
    [402, 'insufficient_credits'],
    [403, 'network_not_allowed'],
    [404, 'not_found'],
    [405, 'method_not_allowed'],
    [409, 'conflict'],
    [409, 'request_already_processed'],
    [413, 'body_too_large'],
    [422, 'idempotency_key_reused'],
    [426, 'upgrade_required'],
  ] as const)('[E2] %i %s is not', async (status, code) => {
    const orc = new FakeOrc().next(answer(() => refusal(status, code, { 'retry-after': '1' })))
    expect(await errorOf(client(orc).chat.create(request))).toMatchObject({
      status,
      code,
      isRetryable: false,
    })
    expect(orc.seen).toHaveLength(1)
  })

  test.each([409, 429, 500, 503])('[K4] %i with x-should-retry: false is not', async (status) => {
    const refused = answer(() => refusal(status, 'request_in_progress', { 'x-should-retry': 'false' }))
    const orc = new FakeOrc().next(refused)
    expect(await errorOf(client(orc).chat.create(request))).toMatchObject({ status, isRetryable: false })
    expect(orc.seen).toHaveLength(1)
  })

  test('at most maxRetries, of the call before that of the client', async () => {
    const orc = new FakeOrc().next(busy, busy, busy, busy, busy, busy)
    const clock = new TestClock()
    const chat = chatOn(orc, clock, { maxRetries: 1 })
    expect(await errorOf(chat.create(request))).toMatchObject({ code: 'all_hosts_busy', isRetryable: true })
    expect(orc.seen).toHaveLength(2)
    await errorOf(chat.create(request, { maxRetries: 3 }))
    expect(orc.seen).toHaveLength(6)
    expect(clock.waits).toEqual([250, 250, 500, 1_000])
    await chat.create(request, { maxRetries: 0 })
    expect(orc.seen).toHaveLength(7)
  })

  test('a connection that stays away is connection_error with its cause', async () => {
    const orc = new FakeOrc().next(unreachable, unreachable, unreachable)
    const error = await errorOf(chatOn(orc, new TestClock()).stream(request))
    expect(error).toMatchObject({ code: 'connection_error', isRetryable: true, status: undefined })
    expect(error.cause).toBeInstanceOf(TypeError)
    expect(orc.seen).toHaveLength(3)
  })

  test('a connection that breaks inside a whole answer is not tried again', async () => {
    const broken = new ReadableStream({ pull: (body) => body.error(new TypeError('terminated')) })
    const orc = new FakeOrc().next(answer(() => new Response(broken)))
    expect((await errorOf(client(orc).chat.create(request))).code).toBe('connection_error')
    expect(orc.seen).toHaveLength(1)
  })
})

describe('how long is waited', () => {
  test.each([
    [{ 'retry-after-ms': '80', 'retry-after': '9' }, 80],
    [{ 'retry-after': '2' }, 2_000],
    [{ 'retry-after': 'Thu, 01 Jan 1970 00:00:07 GMT' }, 2_000],
    [{ 'retry-after': 'Thu, 01 Jan 1970 00:00:01 GMT' }, 0],
    [{ 'retry-after': '-1x' }, undefined],
    [{}, undefined],
  ])('[K4] %j', (headers, ms) => {
    expect(retryAfterMs(new Headers(headers as Record<string, string>), 5_000)).toBe(ms)
  })

  test('[K4] Retry-After is honoured, with some jitter on top', async () => {
    const clock = new TestClock()
    await chatOn(new FakeOrc().next(answer(() => json({}, 429, { 'retry-after': '2' }))), clock).create(
      request,
    )
    expect(clock.waits).toEqual([2_250])
  })

  test.each([
    ['longer than a minute', '61', 600_000],
    ['longer than the call may take', '3', 2_000],
  ])('a Retry-After %s is left to the caller', async (_, seconds, timeoutMs) => {
    const clock = new TestClock()
    const orc = new FakeOrc().next(
      answer(() => refusal(503, 'no_host_available', { 'retry-after': seconds })),
    )
    const error = await errorOf(chatOn(orc, clock, { timeoutMs }).create(request))
    expect(error).toMatchObject({
      code: 'no_host_available',
      retryAfterMs: Number(seconds) * 1_000,
      isRetryable: true,
    })
    expect(clock.waits).toEqual([])
  })
})
