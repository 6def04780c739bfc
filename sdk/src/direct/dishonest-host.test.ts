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
