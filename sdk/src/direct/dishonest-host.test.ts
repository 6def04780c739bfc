import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { chunks, eventStream, TEXT } from '../../test/answers.ts'
import { errorOf, request } from '../../test/client.ts'
import { pass, throughOrc } from '../../test/direct-scene.ts'
import { FakeHost } from '../../test/fake-host.ts'
import { answer, type Fault } from '../../test/fake-orc.ts'
import { ManualStream } from '../../test/manual-stream.ts'
import { directTo } from '../../test/wires.ts'

const events = chunks(request)

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }))
afterEach(() => void vi.useRealTimers())

describe('a Host that lies', () => {
  const claim = (prompt: string, cached = '0'): Fault =>
    answer(() => {
      const response = eventStream(
        new Blob(['id: 1\ndata: {"choices":[{"index":0,"delta":{"content":"x"}}]}\n\n']).stream(),
        'host',
      )
      response.headers.set('daisi-prompt-tokens', prompt)
      response.headers.set('daisi-cached-tokens', cached)
      return response
    })
  const count = (id: number): Fault =>
    answer(() =>
      eventStream(
        new Blob([`id: ${id}\ndata: {"choices":[{"index":0,"delta":{"content":"x"}}]}\n\n`]).stream(),
        'host',
      ),
    )

  // "Hello" has 5 bytes: at most 5 + 64 + 16 tokens.
  test.each([
    ['more prompt tokens than the prompt can have', claim('86')],
    ['more cached tokens than there are', claim('5', '6')],
    ['no prompt tokens at all', claim('')],
    ['more generated tokens than its text has bytes', count(66)],
    ['a count that is none', count(Number.NaN)],
  ])('[D6] about %s: is left, not acknowledged, and avoided for an hour', async (_, fault) => {
    const { host, orc, direct } = await directTo(new FakeHost())
    host.next(fault)
    expect((await direct.chat.create(request)).choices[0]?.message.content).toBe(TEXT)
    expect(direct).toMatchObject({ mode: 'orchestrated', failure: { code: 'host_dishonest' } })
    expect(host.seen[0]?.signal.aborted).toBe(true)
    pass(3_500)
    await direct.chat.create(request)
    expect(host.seen).toHaveLength(1)
    expect(throughOrc(orc)).toBe(2)
    await direct.close()
    expect(host.acknowledgements).toEqual([])
  })

  const first = `id: 1\ndata: ${JSON.stringify(events[1])}\n\n`
  const hidden = (choices: unknown): string =>
    `id: 40\ndata: ${JSON.stringify({ ...events[1], choices })}\n\n`
  const many = 'x'.repeat(1_000)

  // Of these a reader of the text sees nothing, or nothing more than the first.
  test.each([
    [
      'a second choice',
      [
        { index: 0, delta: { content: 'Hi' } },
        { index: 1, delta: { content: many } },
      ],
    ],
    [
      'the same choice twice',
      [
        { index: 0, delta: { content: 'Hi' } },
        { index: 0, delta: { content: many } },
      ],
    ],
    ['another choice alone', [{ index: 1, delta: { content: many } }]],
    ['a choice without an index', [{ delta: { content: many } }]],
    ['a list', [{ index: 0, delta: { content: [many] } }]],
    ['an object', [{ index: 0, delta: { content: { toString: many } } }]],
    ['a number', [{ index: 0, delta: { content: 10 ** 300 } }]],
  ])(
    '[D6] and bills text that nobody sees, in %s: is left, and that is not acknowledged',
    async (_, choices) => {
      const { host, direct } = await directTo(new FakeHost())
      const source = new ManualStream('host')
      host.next(source.answer)
      source.send(first)
      source.send(hidden(choices))
      const error = await errorOf(async () => await (await direct.chat.stream(request)).text())
      expect(error).toMatchObject({ code: 'stream_interrupted', cause: { code: 'host_dishonest' } })
      await direct.close()
      expect(host.acknowledgements.every(({ generatedTokens }) => generatedTokens <= 1)).toBe(true)
    },
  )

  test('[D6] or beside an error: the error ends the answer, and the text is not acknowledged', async () => {
    const { host, direct } = await directTo(new FakeHost())
    const source = new ManualStream('host')
    host.next(source.answer)
    source.send(first)
    const error = { message: 'gone', type: 'api_error', code: 'engine_failed', param: null }
    const choices = [{ index: 0, delta: { content: many } }]
    source.send(`id: 900\ndata: ${JSON.stringify({ error, choices })}\n\n`)
    const text = direct.chat.stream(request).then((stream) => stream.text())
    expect(await errorOf(text)).toMatchObject({ code: 'engine_failed' })
    await direct.close()
    expect(host.acknowledgements.every(({ generatedTokens }) => generatedTokens <= 1)).toBe(true)
  })

  test('[P4] the most that a prompt can have is believed', async () => {
    const { host, direct } = await directTo(new FakeHost())
    host.next(claim('85', '85'))
    await errorOf(direct.chat.create(request))
    expect(direct.mode).toBe('direct')
  })

  test('[D6] after the first text: stream_interrupted, nothing more is acknowledged, and the Host is avoided', async () => {
    const { host, orc, direct } = await directTo(new FakeHost())
    const source = new ManualStream('host')
    host.next(source.answer)
    source.event(events[1])
    const stream = await direct.chat.stream(request)
    await vi.waitFor(() => expect(host.acknowledgements).toHaveLength(1))
    source.send('id: 900\ndata: {"choices":[{"index":0,"delta":{"content":"x"}}]}\n\n')
    const error = await errorOf(stream.text())
    expect(error).toMatchObject({ code: 'stream_interrupted', cause: { code: 'host_dishonest' } })
    await direct.chat.create(request)
    expect(direct).toMatchObject({ mode: 'orchestrated', failure: { code: 'host_dishonest' } })
    expect(throughOrc(orc)).toBe(1)
    await direct.close()
    expect(host.acknowledgements).toHaveLength(1)
  })

  test('[D6] and generates more tokens than were asked for', async () => {
    const { host, direct } = await directTo(new FakeHost())
    const failure = await errorOf(direct.chat.create({ ...request, max_tokens: 3 }))
    expect(failure).toMatchObject({ code: 'stream_interrupted', cause: { code: 'host_dishonest' } })
    await direct.close()
    expect(host.acknowledgements.every(({ generatedTokens }) => generatedTokens <= 3)).toBe(true)
  })
})

describe('a Host that fills the memory', () => {
  /** An answer that goes on as long as it is read, and how much of it was. */
  const endless = (piece: string, sent: { length: number }): Fault =>
    answer(() => {
      const bytes = new TextEncoder().encode(piece)
      const body = new ReadableStream<Uint8Array>({
        pull: (controller) => {
          sent.length += bytes.length
          controller.enqueue(bytes)
        },
      })
      return eventStream(body, 'host')
    })
  const chunk = (content: string): string =>
    `id: 1\ndata: ${JSON.stringify({ ...events[1], choices: [{ index: 0, delta: { content } }] })}\n\n`

  test.each([
    ['a line', 'x'.repeat(65_536), 2_000_000, 'invalid_response'],
    ['an event', `data: ${'x'.repeat(65_536)}\n`, 2_000_000, 'invalid_response'],
    ['lines of nothing', 'data\n'.repeat(10_000), 7_000_000, 'invalid_response'],
    ['chunks without text', chunk(''), 2_000_000, 'stream_interrupted'],
  ])(
    'with %s that does not end: is left, and the request goes through the Orc',
    async (_, piece, most, code) => {
      const { host, direct } = await directTo(new FakeHost())
      const sent = { length: 0 }
      host.next(endless(piece, sent))
      expect((await direct.chat.create(request)).choices[0]?.message.content).toBe(TEXT)
      expect(direct).toMatchObject({ mode: 'orchestrated', failure: { code } })
      expect(sent.length).toBeLessThan(most)
      expect(host.seen[0]?.signal.aborted).toBe(true)
    },
  )

  test('[D6] with more text than its tokens can have: is left', async () => {
    const { host, direct } = await directTo(new FakeHost())
    const sent = { length: 0 }
    host.next(endless(chunk('x'.repeat(10_000)), sent))
    const error = await errorOf(direct.chat.create(request))
    expect(error).toMatchObject({ code: 'stream_interrupted', cause: { code: 'host_dishonest' } })
    expect(sent.length).toBeLessThan(200_000)
  })

  test('with an error that does not end: is left, and the request goes through the Orc', async () => {
    const { host, direct } = await directTo(new FakeHost())
    const sent = { length: 0 }
    const body = endless('x'.repeat(10_000), sent)
    host.next(async (seen, serve) => new Response((await body(seen, serve)).body, { status: 503 }))
    expect((await direct.chat.create(request)).choices[0]?.message.content).toBe(TEXT)
    expect(direct.failure).toMatchObject({ code: 'invalid_response', status: 503 })
    expect(sent.length).toBeLessThan(200_000)
  })
})
