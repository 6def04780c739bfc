import { expect, test, vi } from 'vitest'
import { request } from '../../test/client.ts'
import { FakeHost } from '../../test/fake-host.ts'
import { directTo } from '../../test/wires.ts'

test('[D5] [D6] answers under one token are acknowledged together, so that none of them fills the window', async () => {
  const host = new FakeHost()
  host.words = Array.from({ length: 40 }, (_, index) => `word${index} `)
  const { direct } = await directTo(host)
  const streams = await Promise.all(
    [1, 2, 3, 4].map(async () => (await direct.chat.stream({ ...request, max_tokens: 50 })).textDeltas()),
  )
  const readers = streams.map((texts) => texts[Symbol.asyncIterator]())
  // 80 are read of all together, and never 32 new ones of one.
  for (let read = 1; read <= 20; read += 1) for (const reader of readers) await reader.next()
  expect(new Set(host.seen.map(({ headers }) => headers.get('authorization'))).size).toBe(1)
  await vi.waitFor(() => {
    const latest = new Map(
      host.acknowledgements.map(({ jobId, generatedTokens }) => [jobId, generatedTokens]),
    )
    const total = [...latest.values()].reduce((sum, tokens) => sum + tokens, 0)
    expect(latest.size).toBe(4)
    expect(total).toBeGreaterThan(80 - 32)
  })
  for (const reader of readers) await reader.return?.()
  await direct.close()
})
