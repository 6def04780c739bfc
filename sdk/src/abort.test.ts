import { afterEach, describe, expect, test, vi } from 'vitest'
import { chunks, TEXT } from '../test/answers.ts'
import { chatOn, client, errorOf, request, TestClock } from '../test/client.ts'
import { answer, FakeOrc, KEY, refusal, silence } from '../test/fake-orc.ts'
import { wires } from '../test/wires.ts'
import { systemClock } from './clock.ts'

const [, first] = chunks(request)

describe('aborting', () => {
  test('before the call: nothing is sent', async () => {
    const orc = new FakeOrc()
    const error = await errorOf(client(orc).chat.create(request, { signal: AbortSignal.abort('why') }))
    expect(error).toMatchObject({ code: 'aborted', cause: 'why', isRetryable: false })
    expect(orc.seen).toHaveLength(0)
  })

  test.each(['create', 'stream'] as const)(
    '[A7] before the answer of %s: the request is aborted',
    async (method) => {
      const controller = new AbortController()
      const orc = new FakeOrc().next((seen, serve) => {
        controller.abort()
        return silence(seen, serve)
      })
      // The platform's own rejection must not win over the SDK's error, whether the fake hears the signal or not.
      expect(await errorOf(client(orc).chat[method](request, { signal: controller.signal }))).toMatchObject({
        code: 'aborted',
      })
      expect(orc.seen).toHaveLength(1)
      expect(orc.seen[0]?.signal.aborted).toBe(true)
    },
  )

  test('while the key function works', async () => {
    const controller = new AbortController()
    const daisi = client(new FakeOrc(), {
      apiKey: () => {
        controller.abort()
        return new Promise(() => undefined)
      },
    })
    expect((await errorOf(daisi.models.list({ signal: controller.signal }))).code).toBe('aborted')
  })

  test('while waiting for a retry: at once', async () => {
    const controller = new AbortController()
    const orc = new FakeOrc().next(answer(() => refusal(503, 'all_hosts_busy', { 'retry-after': '30' })))
    const chat = chatOn(orc, {
      ...systemClock,
      sleep: async (ms, signal) => {
        const slept = systemClock.sleep(ms, signal)
        controller.abort()
        await slept
      },
    })
    expect((await errorOf(chat.create(request, { signal: controller.signal }))).code).toBe('aborted')
    expect(orc.seen).toHaveLength(1)
  })

  test('while an error is read', async () => {
    const controller = new AbortController()
    const body = new ReadableStream({ pull: () => controller.abort() }, { highWaterMark: 0 })
    const orc = new FakeOrc().next(answer(() => new Response(body, { status: 503 })))
    expect(
      (await errorOf(client(orc, { maxRetries: 0 }).chat.create(request, { signal: controller.signal })))
        .code,
    ).toBe('aborted')
    expect(orc.seen).toHaveLength(1)
  })
})

describe.each(wires)('aborting a stream, %s', (_, open) => {
  test('[A7] in the middle of a stream: the loop throws and the request is aborted', async () => {
    const { chat, manual } = await open()
    const source = manual()
    source.event(first)
    const controller = new AbortController()
    const stream = await chat.stream(request, { signal: controller.signal })
    const error = await errorOf(async () => {
      for await (const chunk of stream) {
        expect(chunk).toEqual(first)
        controller.abort()
      }
    })
    expect(error.code).toBe('aborted')
    await Promise.all([source.aborted, source.cancelled])
  })

  test('[A7] while a chunk is waited for', async () => {
    const { chat, manual } = await open()
    const source = manual()
    source.event(first)
    const controller = new AbortController()
    const stream = await chat.stream(request, { signal: controller.signal })
    const reader = stream[Symbol.asyncIterator]()
    await reader.next()
    const waiting = errorOf(async () => await reader.next())
    controller.abort()
    expect((await waiting).code).toBe('aborted')
    await Promise.all([source.aborted, source.cancelled])
  })
})

describe('the signal of the caller', () => {
  test.each(['create', 'stream', 'refused'])('is let go of at the end: %s', async (kind) => {
    let listeners = 0
    const { signal } = new AbortController()
    const watched = Object.assign(signal, {
      addEventListener: (...args: Parameters<EventTarget['addEventListener']>) => {
        listeners += 1
        EventTarget.prototype.addEventListener.apply(signal, args)
      },
      removeEventListener: (...args: Parameters<EventTarget['removeEventListener']>) => {
        listeners -= 1
        EventTarget.prototype.removeEventListener.apply(signal, args)
      },
    })
    const { chat } = client(new FakeOrc(), kind === 'refused' ? { apiKey: 'wrong' } : {})
    if (kind === 'create') await chat.create(request, { signal: watched })
    else if (kind === 'refused') await errorOf(chat.create(request, { signal: watched }))
    else {
      const stream = await chat.stream(request, { signal: watched })
      expect(listeners).toBe(1)
      await stream.text()
    }
    await vi.waitFor(() => expect(listeners).toBe(0))
  })
})

describe.each(wires)('leaving, %s', (_, open) => {
  test.each(['chunks', 'texts'])('[A7] break out of the %s aborts the request', async (kind) => {
    const { chat, manual } = await open()
    const source = manual()
    source.event(first)
    const stream = await chat.stream(request)
    for await (const item of kind === 'chunks' ? stream : stream.textDeltas()) {
      expect(item).toBeTruthy()
      break
    }
    await Promise.all([source.aborted, source.cancelled])
    expect((await errorOf(stream.final())).code).toBe('aborted')
  })

  test('[A7] an error in the loop aborts the request, and stays the same', async () => {
    const { chat, manual } = await open()
    const source = manual()
    source.event(first)
    const stream = await chat.stream(request)
    const failure = new Error('mine')
    const loop = async (): Promise<void> => {
      for await (const text of stream.textDeltas()) throw Object.assign(failure, { text })
    }
    await expect(loop()).rejects.toBe(failure)
    await source.aborted
  })

  test('[A7] before the first chunk', async () => {
    const { chat, manual } = await open()
    const source = manual()
    source.event(first)
    const stream = await chat.stream(request)
    await stream[Symbol.asyncIterator]().return?.()
    await Promise.all([source.aborted, source.cancelled])
    expect((await errorOf(stream.final())).code).toBe('aborted')
  })

  test('[A7] while a chunk is waited for that never comes', async () => {
    const { chat, manual } = await open()
    const source = manual()
    source.event(first)
    const reader = (await chat.stream(request)).textDeltas()[Symbol.asyncIterator]()
    await reader.next()
    const waiting = errorOf(async () => await reader.next())
    await reader.return?.()
    expect((await waiting).code).toBe('aborted')
    await source.aborted
  })

  test('[A7] cancel, read or not', async () => {
    for (const isRead of [true, false]) {
      const { chat, manual } = await open()
      const source = manual()
      source.event(first)
      const stream = await chat.stream(request)
      const text = isRead ? errorOf(stream.text()) : undefined
      stream.cancel()
      await Promise.all([source.aborted, source.cancelled])
      expect((await (text ?? errorOf(stream.text()))).code).toBe('aborted')
    }
  })
})

describe('timeouts', () => {
  test.each(['create', 'stream'] as const)('no answer to %s in time: timeout, once', async (method) => {
    const orc = new FakeOrc().next(silence)
    const error = await errorOf(client(orc, { timeoutMs: 5 }).chat[method](request))
    expect(error).toMatchObject({ code: 'timeout', isRetryable: true })
    expect(orc.seen).toHaveLength(1)
    expect(orc.seen[0]?.signal.aborted).toBe(true)
  })

  test('also when fetch ignores its signal', async () => {
    const orc = new FakeOrc().next(() => new Promise(() => undefined))
    expect((await errorOf(client(orc).chat.create(request, { timeoutMs: 1 }))).code).toBe('timeout')
  })

  test('a whole answer that stops in its middle', async () => {
    const orc = new FakeOrc().next(answer(() => new Response(new ReadableStream())))
    expect((await errorOf(client(orc).chat.create(request, { timeoutMs: 5 }))).code).toBe('timeout')
  })

  test('more milliseconds than a timer takes are no timeout', async () => {
    const chat = chatOn(new FakeOrc(), new TestClock(), { timeoutMs: Infinity, apiKey: KEY })
    expect((await chat.create(request, { timeoutMs: 2 ** 32 })).object).toBe('chat.completion')
    expect((await chat.create(request)).object).toBe('chat.completion')
  })
})

describe.each(wires)('time and streams, %s', (_, open) => {
  afterEach(() => void vi.useRealTimers())

  test('silence inside a stream: timeout, and the request is aborted', async () => {
    const { chat, manual } = await open()
    const source = manual()
    source.event(first)
    const stream = await chat.stream(request, { timeoutMs: 100 })
    expect((await errorOf(stream.text())).code).toBe('timeout')
    await Promise.all([source.aborted, source.cancelled])
  })

  test('the time that the reader takes is not counted', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { chat, manual } = await open()
    const source = manual()
    source.event(first)
    const stream = await chat.stream(request, { timeoutMs: 1_000 })
    vi.advanceTimersByTime(5_000)
    const reader = stream[Symbol.asyncIterator]()
    expect((await reader.next()).value).toEqual(first)
    vi.advanceTimersByTime(5_000)
    source.event(first)
    expect((await reader.next()).value).toEqual(first)
    const waiting = errorOf(async () => await reader.next())
    await vi.waitUntil(() => vi.getTimerCount() === 1)
    vi.advanceTimersByTime(1_000)
    expect((await waiting).code).toBe('timeout')
  })

  test('a stream that is done but does not close is given up after a second', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { chat, manual } = await open()
    const source = manual()
    source.event(first)
    const stream = await chat.stream(request)
    source.events(chunks({ ...request, stream_options: { include_usage: true } }).slice(2))
    await stream.text()
    vi.advanceTimersByTime(1_000)
    await Promise.all([source.aborted, source.cancelled])
    expect(await stream.text()).toBe(TEXT)
  })
})
