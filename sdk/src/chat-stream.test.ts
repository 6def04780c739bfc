import { describe, expect, test } from 'vitest'
import { chunks, TEXT, usage, wholeAnswer } from '../test/answers.ts'
import { collect, errorOf, request } from '../test/client.ts'
import { answer, json, refusal } from '../test/fake-orc.ts'
import type { ManualStream } from '../test/manual-stream.ts'
import { wires } from '../test/wires.ts'

const sent = { ...request, stream: true, stream_options: { include_usage: true } }
const events = chunks(sent)

describe.each(wires)('reading, %s', (_, open) => {
  test('[A5] [D4] chunks as they come, usage last', async () => {
    const { chat, peer, requestId } = await open()
    const stream = await chat.stream(request)
    expect(stream.requestId).toEqual(requestId)
    expect(await collect(stream)).toEqual(events)
    expect(peer.seen[0]?.body).toEqual(sent)
  })

  test('pieces of text, and then the rest of the answer', async () => {
    const stream = await (await open()).chat.stream(request)
    const texts = await collect(stream.textDeltas())
    expect(texts).toEqual(TEXT.split(/(?= )/))
    expect(await stream.final()).toEqual(wholeAnswer(sent))
    expect(await stream.text()).toBe(TEXT)
  })

  test('calls of tools, each when it is whole, and then the rest of the answer', async () => {
    const { chat, manual } = await open()
    const source = manual()
    const [first] = events
    const send = (index: number, id: string, text: string): void => {
      const made = { index, id, type: 'function', function: { name: 'f', arguments: text } } as const
      const delta = { tool_calls: [made] }
      source.event({ ...first, choices: [{ index: 0, delta, logprobs: null, finish_reason: null }] })
    }
    send(0, 'a', '{}')
    send(1, 'b', '{"x":1')
    const stream = await chat.stream(request)
    const calls = stream.toolCalls()[Symbol.asyncIterator]()
    expect((await calls.next()).value).toEqual({
      id: 'a',
      type: 'function',
      function: { name: 'f', arguments: '{}' },
    })
    send(1, '', '}')
    source.events(events.slice(-2))
    expect((await calls.next()).value).toMatchObject({ id: 'b', function: { arguments: '{"x":1}' } })
    expect((await calls.next()).done).toBe(true)
    expect((await stream.final()).choices[0]?.message.tool_calls).toHaveLength(2)
  })

  test('the whole text, and the whole answer, without a loop', async () => {
    const { chat } = await open()
    expect(await (await chat.stream(request)).text()).toBe(TEXT)
    expect(await (await chat.stream(request)).final()).toMatchObject({
      usage,
      choices: [{ finish_reason: 'stop' }],
    })
  })

  test('a chunk is handed on before the next one is sent', async () => {
    const { chat, manual } = await open()
    const source = manual()
    const [first, ...rest] = events.slice(1, 4)
    source.event(first)
    const reader = (await chat.stream(request)).textDeltas()[Symbol.asyncIterator]()
    expect((await reader.next()).value).toBe(first?.choices[0]?.delta.content)
    for (const event of rest) {
      source.event(event)
      expect((await reader.next()).value).toBe(event.choices[0]?.delta.content)
    }
    await reader.return?.()
  })

  test('bytes cut anywhere', async () => {
    const { chat, manual } = await open()
    const source = manual()
    source.eachByteOf(events)
    expect(await (await chat.stream(request)).text()).toBe(TEXT)
  })

  test('a stream is read once', async () => {
    const stream = await (await open()).chat.stream(request)
    await stream.text()
    expect(await errorOf(() => stream.textDeltas())).toMatchObject({ code: 'invalid_request' })
    expect(await errorOf(collect(stream))).toMatchObject({ code: 'invalid_request' })
  })

  test('final waits for whoever reads', async () => {
    const { chat, manual } = await open()
    const source = manual()
    source.event(events[0])
    source.event(events[1])
    const stream = await chat.stream(request)
    const reader = stream[Symbol.asyncIterator]()
    const first = reader.next()
    const final = stream.final()
    source.events(events.slice(2))
    await first
    while ((await reader.next()).done !== true);
    expect(await final).toEqual(wholeAnswer(sent))
  })

  test('[A5] [DONE] is the end, even if the connection stays open', async () => {
    const { chat, manual } = await open()
    const source = manual()
    source.events(events)
    expect(await (await chat.stream(request)).text()).toBe(TEXT)
    source.end()
  })

  test('[A5] [DONE] without a line end is an end', async () => {
    const { chat, manual } = await open()
    const source = manual()
    for (const event of events) source.event(event)
    source.send('data: [DONE]')
    source.end()
    expect(await (await chat.stream(request)).text()).toBe(TEXT)
  })
})

describe.each(wires)('what goes wrong, %s', (_, open) => {
  test('errors from before the answer throw at once', async () => {
    const { chat, peer } = await open()
    peer.next(answer(() => refusal(402, 'insufficient_credits')))
    expect(await errorOf(chat.stream(request))).toMatchObject({ code: 'insufficient_credits', status: 402 })
  })

  test('an answer that is no event stream is invalid_response, and given up', async () => {
    const { chat, peer, requestId } = await open()
    peer.next(answer(() => json(wholeAnswer(sent))))
    const error = await errorOf(chat.stream(request))
    expect(error).toMatchObject({ code: 'invalid_response', isRetryable: false })
    expect(error.requestId).toEqual(requestId)
    expect(peer.seen[0]?.signal.aborted).toBe(true)
  })

  test('[A6] an error event ends the loop with its code, after the text before it', async () => {
    const { chat, manual, peer, requestId } = await open()
    const source = manual()
    source.event(events[1])
    const stream = await chat.stream(request)
    source.event({ error: { message: 'gone', type: 'api_error', code: 'host_lost', param: null } })
    source.end()
    const texts: string[] = []
    const error = await errorOf(async () => {
      for await (const text of stream.textDeltas()) texts.push(text)
    })
    expect(texts).toEqual([events[1]?.choices[0]?.delta.content])
    expect(error).toMatchObject({ code: 'host_lost', isRetryable: true, status: undefined })
    expect(error.requestId).toEqual(requestId)
    expect(await errorOf(stream.final())).toBe(error)
    expect(peer.seen).toHaveLength(1)
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
    const { chat, manual, peer, requestId } = await open()
    const source = manual()
    source.event(events[1])
    const stream = await chat.stream(request)
    const reader = stream.textDeltas()[Symbol.asyncIterator]()
    expect((await reader.next()).done).toBe(false)
    stop(source)
    const error = await errorOf(async () => await reader.next())
    expect(error.code).toBe('stream_interrupted')
    expect(error.requestId).toEqual(requestId)
    expect(await errorOf(stream.text())).toBe(error)
    expect(peer.seen).toHaveLength(1)
  })

  test.each(['not json', '[]', 'null', '{"choices":[{}]}'])(
    'an event %j is invalid_response',
    async (event) => {
      const { chat, manual } = await open()
      const source = manual()
      source.event(events[1])
      source.send(`data: ${event}\n\n`)
      const text = chat.stream(request).then((stream) => stream.text())
      expect(await errorOf(text)).toMatchObject({ code: 'invalid_response', isRetryable: false })
      await source.aborted
    },
  )

  test('an event that is longer than 1 MiB is invalid_response, and given up', async () => {
    const { chat, manual, requestId } = await open()
    const source = manual()
    source.event(events[1])
    source.send('x'.repeat(1_048_577))
    const error = await errorOf(chat.stream(request).then((stream) => stream.text()))
    expect(error).toMatchObject({ code: 'invalid_response', isRetryable: false })
    expect(error.requestId).toEqual(requestId)
    await source.aborted
  })

  test('[A5] a stream without usage has no final', async () => {
    const { chat, manual } = await open()
    const source = manual()
    source.events(events.slice(0, -1))
    source.end()
    const stream = await chat.stream(request)
    expect((await collect(stream.textDeltas())).join('')).toBe(TEXT)
    expect(await errorOf(stream.final())).toMatchObject({ code: 'invalid_response' })
  })
})
