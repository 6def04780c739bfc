import { describe, expect, test } from 'vitest'
import { chunks, frames, TEXT, usage, wholeAnswer } from '../test/answers.ts'
import { client, collect, errorOf, request } from '../test/client.ts'
import { answer, FakeOrc, json, refusal } from '../test/fake-orc.ts'
import { ManualStream } from '../test/manual-stream.ts'

const wire = { ...request, stream: true, stream_options: { include_usage: true } }
const events = chunks(wire)

function manual(): { orc: FakeOrc; source: ManualStream } {
  const source = new ManualStream()
  return { source, orc: new FakeOrc().next(source.answer) }
}

describe('reading', () => {
  test('[A5] chunks as they come, usage last', async () => {
    const orc = new FakeOrc()
    const stream = await client(orc).chat.stream(request)
    expect(stream.requestId).toBe('req_1')
    expect(await collect(stream)).toEqual(events)
    expect(orc.seen[0]?.body).toEqual(wire)
  })

  test('pieces of text, and then the rest of the answer', async () => {
    const stream = await client(new FakeOrc()).chat.stream(request)
    const texts = await collect(stream.textDeltas())
    expect(texts).toEqual(TEXT.split(/(?= )/))
    expect(await stream.final()).toEqual(wholeAnswer(wire))
    expect(await stream.text()).toBe(TEXT)
  })

  test('the whole text, and the whole answer, without a loop', async () => {
    const { chat } = client(new FakeOrc())
    expect(await (await chat.stream(request)).text()).toBe(TEXT)
    expect(await (await chat.stream(request)).final()).toMatchObject({
      usage,
      choices: [{ finish_reason: 'stop' }],
    })
  })

  test('a chunk is handed on before the next one is sent', async () => {
    const { orc, source } = manual()
    const reader = (await client(orc).chat.stream(request)).textDeltas()[Symbol.asyncIterator]()
    for (const event of events.slice(1, 4)) {
      source.event(event)
      expect((await reader.next()).value).toBe(event.choices[0]?.delta.content)
    }
    await reader.return?.()
  })

  test('bytes cut anywhere', async () => {
    const { orc, source } = manual()
    const stream = await client(orc).chat.stream(request)
    for (const byte of new TextEncoder().encode(frames(events))) source.bytes(Uint8Array.of(byte))
    expect(await stream.text()).toBe(TEXT)
  })

  test('a stream is read once', async () => {
    const stream = await client(new FakeOrc()).chat.stream(request)
    await stream.text()
    expect(await errorOf(() => stream.textDeltas())).toMatchObject({ code: 'invalid_request' })
    expect(await errorOf(collect(stream))).toMatchObject({ code: 'invalid_request' })
  })

  test('final waits for whoever reads', async () => {
    const { orc, source } = manual()
    const stream = await client(orc).chat.stream(request)
    const reader = stream[Symbol.asyncIterator]()
    const first = reader.next()
    const final = stream.final()
    source.send(frames(events))
    await first
    while ((await reader.next()).done !== true);
    expect(await final).toEqual(wholeAnswer(wire))
  })

  test('[A5] [DONE] is the end, even if the connection stays open', async () => {
    const { orc, source } = manual()
    const stream = await client(orc).chat.stream(request)
    source.send(frames(events))
    expect(await stream.text()).toBe(TEXT)
    source.end()
  })

  test('[A5] [DONE] without a line end is an end', async () => {
    const { orc, source } = manual()
    const stream = await client(orc).chat.stream(request)
    source.send(frames(events).trimEnd())
    source.end()
    expect(await stream.text()).toBe(TEXT)
  })
})

describe('what goes wrong', () => {
  test('errors from before the answer throw at once', async () => {
    const orc = new FakeOrc().next(answer(() => refusal(402, 'insufficient_credits')))
    expect(await errorOf(client(orc).chat.stream(request))).toMatchObject({
      code: 'insufficient_credits',
      status: 402,
    })
  })

  test('an answer that is no event stream is invalid_response, and given up', async () => {
    const orc = new FakeOrc().next(answer(() => json(wholeAnswer(wire))))
    const error = await errorOf(client(orc).chat.stream(request))
    expect(error).toMatchObject({ code: 'invalid_response', requestId: 'req_1', isRetryable: false })
    expect(orc.seen[0]?.signal.aborted).toBe(true)
  })

  test('[A6] an error event ends the loop with its code, after the text before it', async () => {
    const { orc, source } = manual()
    const stream = await client(orc).chat.stream(request)
    source.event(events[1])
    source.event({ error: { message: 'gone', type: 'api_error', code: 'host_lost', param: null } })
    source.end()
    const texts: string[] = []
    const error = await errorOf(async () => {
      for await (const text of stream.textDeltas()) texts.push(text)
    })
    expect(texts).toEqual([events[1]?.choices[0]?.delta.content])
    expect(error).toMatchObject({
      code: 'host_lost',
      requestId: 'req_1',
      isRetryable: true,
      status: undefined,
    })
    expect(await errorOf(stream.final())).toBe(error)
    expect(orc.seen).toHaveLength(1)
  })

  test.each([
    ['ends', (source: ManualStream) => source.end()],
    ['breaks', (source: ManualStream) => source.break()],
    [
      'ends inside an event',
      (source: ManualStream) => {
        source.send('data: {"id": "chatc')
        source.end()
      },
    ],
  ])('[A6] a stream that %s without [DONE] is stream_interrupted, and not sent again', async (_, stop) => {
    const { orc, source } = manual()
    const stream = await client(orc).chat.stream(request)
    const reader = stream.textDeltas()[Symbol.asyncIterator]()
    source.event(events[1])
    expect((await reader.next()).done).toBe(false)
    stop(source)
    const error = await errorOf(async () => await reader.next())
    expect(error).toMatchObject({ code: 'stream_interrupted', requestId: 'req_1' })
    expect(await errorOf(stream.text())).toBe(error)
    expect(orc.seen).toHaveLength(1)
  })

  test.each(['not json', '[]', 'null', '{"choices":[{}]}'])(
    'an event %j is invalid_response',
    async (event) => {
      const { orc, source } = manual()
      const stream = await client(orc).chat.stream(request)
      source.send(`data: ${event}\n\n`)
      expect(await errorOf(stream.text())).toMatchObject({ code: 'invalid_response', isRetryable: false })
      await source.aborted
    },
  )

  test('[A5] a stream without usage has no final', async () => {
    const { orc, source } = manual()
    const stream = await client(orc).chat.stream(request)
    source.send(frames(events.slice(0, -1)))
    source.end()
    expect((await collect(stream.textDeltas())).join('')).toBe(TEXT)
    expect(await errorOf(stream.final())).toMatchObject({ code: 'invalid_response' })
  })
})
