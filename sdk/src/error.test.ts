import { describe, expect, test } from 'vitest'
import { client, errorOf, request } from '../test/client.ts'
import { answer, FakeOrc, json, refusal } from '../test/fake-orc.ts'
import { errorOfEvent } from './error-response.ts'
import { DaisiError } from './error.ts'

const details = { code: 'timeout', isRetryable: true } as const

describe('DaisiError', () => {
  test('is told by its marker, across copies of the package', () => {
    const copy = Object.assign(new Error('late'), { [Symbol.for('daisi-sdk.error')]: true })
    const error = new DaisiError('late', details)
    expect(error).toBeInstanceOf(Error)
    expect(
      [error, copy, new Error('late'), null, 'late'].map((value) => DaisiError.isInstance(value)),
    ).toEqual([true, true, false, false, false])
    expect(String(error)).toBe('DaisiError: late')
    expect('cause' in error).toBe(false)
  })
})

describe('errors of answers', () => {
  test('[E1] code, message, param; [A8] the request id', async () => {
    const error = {
      message: 'too long',
      type: 'invalid_request_error',
      code: 'context_length_exceeded',
      param: 'messages',
    }
    const orc = new FakeOrc().next(answer(() => json({ error }, 400)))
    expect(await errorOf(client(orc).chat.create(request))).toMatchObject({
      message: 'too long',
      code: 'context_length_exceeded',
      param: 'messages',
      status: 400,
      requestId: 'req_1',
      retryAfterMs: undefined,
    })
  })

  test('[A1] a wrong key', async () => {
    const error = await errorOf(client(new FakeOrc(), { apiKey: 'daisi_sk_other' }).models.list())
    expect(error).toMatchObject({ code: 'invalid_api_key', status: 401, param: undefined })
  })

  test('[K4] Retry-After is on the error', async () => {
    const orc = new FakeOrc().next(answer(() => refusal(503, 'no_host_available', { 'retry-after': '5' })))
    const error = await errorOf(client(orc).chat.create(request, { maxRetries: 0 }))
    expect(error).toMatchObject({ retryAfterMs: 5_000, isRetryable: true })
  })

  test.each([
    ['HTML', 502, '<html>Bad gateway</html>', true],
    ['nothing', 404, '', false],
    ['other JSON', 400, '{"error":"no"}', false],
    ['null', 503, 'null', true],
  ])('an error whose body is %s keeps its status', async (_, status, body, isRetryable) => {
    const orc = new FakeOrc().next(answer(() => new Response(body, { status })))
    const error = await errorOf(client(orc).chat.create(request, { maxRetries: 0 }))
    expect(error).toMatchObject({ code: 'invalid_response', status, isRetryable, requestId: undefined })
  })

  test('an error whose body breaks off keeps its status', async () => {
    const body = new ReadableStream({ pull: (controller) => controller.error(new TypeError('terminated')) })
    const orc = new FakeOrc().next(answer(() => new Response(body, { status: 502 })))
    expect(await errorOf(client(orc).chat.create(request, { maxRetries: 0 }))).toMatchObject({ status: 502 })
  })

  test('an error whose body is longer than 64 KiB is read no further, and keeps its status', async () => {
    let sent = 0
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array((sent += 1) && 8_192)),
    })
    const orc = new FakeOrc().next(answer(() => new Response(body, { status: 502 })))
    const error = await errorOf(client(orc).chat.create(request, { maxRetries: 0 }))
    expect(error).toMatchObject({ code: 'invalid_response', status: 502 })
    expect(sent).toBeLessThan(20)
  })

  test('an error in many pieces is read whole', async () => {
    const error = { message: 'zu groß: 🌍', type: 'api_error', code: 'host_failed', param: null }
    const bytes = new TextEncoder().encode(JSON.stringify({ error }))
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        for (const byte of bytes) controller.enqueue(Uint8Array.of(byte))
        controller.close()
      },
    })
    const orc = new FakeOrc().next(answer(() => new Response(body, { status: 502 })))
    const { code, message } = await errorOf(client(orc).chat.create(request, { maxRetries: 0 }))
    expect([code, message]).toEqual(['host_failed', 'zu groß: 🌍'])
  })

  test('a code that this version does not know is passed on', () => {
    const event = { error: { message: 'new', type: 'api_error', code: 'brand_new', param: null } }
    expect(errorOfEvent(event, 'req_2')).toMatchObject({
      code: 'brand_new',
      requestId: 'req_2',
      isRetryable: false,
    })
  })
})
