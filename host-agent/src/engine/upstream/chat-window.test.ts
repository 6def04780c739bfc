import { FRAME_HEADER_BYTES } from '@daisi/protocol'
import { describe, expect, test } from 'vitest'
import { all, chatJob, events, openText, startServer } from './testing/server-setup.ts'
import { chatRoute, chunk, eventStream, type TestRoute } from './testing/test-server.ts'

const CHAT = 'POST /v1/chat/completions'
const models = { object: 'list', data: [{ id: 'model-x', object: 'model' }] }

function routes(chat: TestRoute): Record<string, TestRoute> {
  return { 'GET /v1/models': models, [CHAT]: chat }
}

describe('the window', () => {
  test('a reader who is slow slows the server down', async () => {
    const text = 'x'.repeat(60_000)
    let sent = 0
    let ended = false
    const server = await startServer(
      routes((_, response) => {
        const send = eventStream(response)
        const more = (): void => {
          while (sent < 250) {
            sent++
            if (!send(chunk(text))) return void response.once('drain', more)
          }
          ended = true
          send(chunk(undefined, 'stop'))
          response.end()
        }
        more()
      }),
    )
    const windowBytes = 100_000
    const job = chatJob('x', { windowBytes, sampling: { maxTokens: 100_000, stop: [] } })
    const run = (await openText(server)).run(job, new AbortController().signal)
    let received = 0
    let granted = windowBytes
    for await (const event of run) {
      if (event.type !== 'delta') continue
      received += FRAME_HEADER_BYTES + Buffer.byteLength(event.text)
      expect(received).toBeLessThanOrEqual(granted)
      // The window is used up but for less than one piece: the server cannot have been read to its end.
      if (granted - received < 1_024 + FRAME_HEADER_BYTES) {
        if (granted === windowBytes) expect(ended).toBe(false)
        granted += 4_000_000
        run.grant(4_000_000)
      }
    }
    expect(ended).toBe(true)
    expect(received).toBeGreaterThan(250 * text.length)
  })

  test('a grant that comes late is enough to end', async () => {
    const server = await startServer(routes(chatRoute(['hello'])))
    const run = (await openText(server)).run(chatJob('x', { windowBytes: 1 }), new AbortController().signal)
    const iterator = run[Symbol.asyncIterator]()
    expect((await iterator.next()).value).toMatchObject({ type: 'start' })
    run.grant(10)
    run.grant(100)
    expect((await iterator.next()).value).toMatchObject({ type: 'delta', text: 'hello' })
    expect((await iterator.next()).value).toMatchObject({ type: 'end' })
  })
})

describe('an aborted job', () => {
  test('breaks the request off at once, and what was sent is counted', async () => {
    const server = await startServer(routes((_, response) => void eventStream(response)(chunk('first'))))
    const abort = new AbortController()
    const run = (await openText(server)).run(chatJob('x'), abort.signal)
    const list = []
    for await (const event of run) {
      list.push(event)
      if (event.type === 'delta') abort.abort()
    }
    expect(list.at(-1)).toEqual({
      type: 'end',
      finishReason: 'cancelled',
      usage: { promptTokens: 0, cachedTokens: 0, generatedTokens: 1 },
    })
    await (
      await server.request(CHAT)
    ).closed
  })

  test('before the server said anything', async () => {
    const server = await startServer(routes(() => {}))
    const abort = new AbortController()
    const list = all((await openText(server)).run(chatJob('x'), abort.signal))
    const request = await server.request(CHAT)
    abort.abort()
    expect(await list).toMatchObject([{ type: 'end', finishReason: 'cancelled' }])
    await request.closed
  })

  test('while the window is used up', async () => {
    const server = await startServer(routes(chatRoute(['hello', 'again'])))
    const abort = new AbortController()
    const run = (await openText(server)).run(chatJob('x', { windowBytes: 30 }), abort.signal)
    const list = []
    for await (const event of run) {
      list.push(event)
      if (event.type === 'delta') abort.abort()
    }
    expect(list.map(({ type }) => type)).toEqual(['start', 'delta', 'end'])
  })

  test('before it began', async () => {
    const server = await startServer(routes(chatRoute(['x'])))
    const list = await events(await openText(server), chatJob('x'), AbortSignal.abort())
    expect(list).toMatchObject([{ type: 'end', finishReason: 'cancelled' }])
    expect(server.to(CHAT)).toEqual([])
  })
})
