import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { post } from './support/chat.ts'
import { type DirectHost, openConnection, startDirectHost } from './support/direct.ts'
import type { Host } from './support/host.ts'
import { type Network, startNetwork } from './support/network.ts'
import { slowModel } from './support/slow-model.ts'
import { claimsOf, compactTokens } from './support/tokens.ts'

/** Tokens that take the slow model some seconds. */
const LONG = 3_000
/** For what processes tell each other, and a Host's wait for a last acknowledgement. */
const PATIENT = { timeout: 15_000 }
const MESSAGES = [{ role: 'user', content: 'Hello' }] as const

let network: Network
let direct: DirectHost

beforeAll(async () => {
  network = await startNetwork()
  // No room for a second request, so that one tells whether the first is over.
  direct = await startDirectHost(network, { ...(await slow()), slots: 1, queue: 0 })
})
afterAll(async () => {
  await direct?.way[Symbol.asyncDispose]()
  await network?.stop()
})

async function slow(): Promise<{ modelPath: string; model: string }> {
  return { modelPath: await slowModel(), model: 'slow' }
}

function request(tokens: number): {
  model: string
  max_tokens: number
  temperature: number
  messages: typeof MESSAGES
} {
  return { model: 'slow', max_tokens: tokens, temperature: 0, messages: MESSAGES }
}

/** What the Consumers of a Host acknowledged, in the order in which it heard of it. */
function acknowledgements(
  wire: string,
): readonly { readonly jobId: string; readonly price: number; readonly generated: number }[] {
  return compactTokens(wire)
    .map((jws) => claimsOf(jws))
    .filter((claims) => 'promptTokens' in claims)
    .map(({ jobId, promptTokens, cachedTokens, generatedTokens }) => ({
      jobId: String(jobId),
      price: Number(promptTokens) - Number(cachedTokens) + Number(generatedTokens),
      generated: Number(generatedTokens),
    }))
}

/** Tokens in the reports that a Host keeps on disk until the Orc has noted them (D8), as they were acknowledged. */
async function keptTokens(host: Host): Promise<number> {
  const folder = join(host.stateDir, 'direct')
  const files = (await readdir(folder)).filter((file) => file.endsWith('.json'))
  const books = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')))
  const reports = books.flatMap(
    (book) => (JSON.parse(book) as { reports: { acknowledgement: string }[] }).reports,
  )
  const acknowledged = reports.flatMap(({ acknowledgement }) => acknowledgements(acknowledgement))
  return acknowledged.reduce((sum, { generated }) => sum + generated, 0)
}

test('[D5, D6, D8] who leaves in the middle pays what it acknowledged, and the engine stops', async () => {
  const consumer = await network.newConsumer()
  const before = (await network.balance(network.owner)).earned
  const { direct: connection, paid } = await openConnection(network, consumer, { model: 'slow' })
  const stream = await connection.chat.stream(request(LONG))
  let pieces = 0
  for await (const _text of stream.textDeltas()) if (++pieces === 10) break
  expect(connection.mode).toBe('direct')
  // The Host is free again long before it could have made the rest.
  await expect
    .poll(
      async () => (await post(network, network.consumer, { model: 'slow', max_tokens: 1 })).status,
      PATIENT,
    )
    .toBe(200)
  // It waits for a last acknowledgement before it reports.
  await expect.poll(paid, PATIENT).toBeGreaterThan(0)
  const last = acknowledgements(direct.way.sent)
    .toSorted((one, other) => one.price - other.price)
    .at(-1)
  expect(await paid()).toBe(last?.price)
  expect(last?.generated).toBeLessThan(LONG / 2)
  await network.settle(network.consumer)
  const elsewhere = 0 - (await network.gained(network.consumer.account))
  expect((await network.balance(network.owner)).earned - before).toBe((last?.price ?? 0) + elsewhere)
  await network.expectBalanced()
})

test('[D4, D8] an answer goes on while the Orc is down, survives the Host’s own end as a report, and is paid once', async () => {
  const consumer = await network.newConsumer()
  const { direct: connection, paid } = await openConnection(network, consumer, { model: 'slow' })
  const stream = await connection.chat.stream(request(300))
  let isDown = false
  for await (const _text of stream.textDeltas()) {
    if (!isDown) await network.orc.kill()
    isDown = true
  }
  const { usage } = await stream.final()
  expect(usage.completion_tokens).toBe(300)
  // Under the token that it has, the Consumer goes on; nobody needs the Orc for it.
  const second = await connection.chat.create(request(20))
  expect([connection.mode, second.usage.completion_tokens]).toEqual(['direct', 20])
  const price = [usage, second.usage].reduce(
    (sum, { total_tokens: total, prompt_tokens_details: details }) => sum + total - details.cached_tokens,
    0,
  )
  await expect.poll(() => keptTokens(direct.host), PATIENT).toBe(320)
  await direct.host.end('SIGKILL')
  await network.restartOrc()
  const { stateDir } = direct.host
  const again = await network.startedHost({
    ...(await slow()),
    stateDir,
    slots: 1,
    queue: 0,
    args: direct.args,
  })
  await expect.poll(() => keptTokens(again), PATIENT).toBe(0)
  await expect.poll(paid, PATIENT).toBe(price)
  await network.expectBalanced()
  expect(await paid()).toBe(price)
})

test('[D7, D8] a Host that dies in the middle: the answer breaks, nothing unreported is paid, the next one goes through the Orc', async () => {
  const consumer = await network.newConsumer()
  const own = { modelPath: await slowModel(), model: 'mortal' }
  const mortal = await startDirectHost(network, own)
  const { direct: connection, paid } = await openConnection(network, consumer, { model: 'mortal' })
  const stream = await connection.chat.stream({ ...request(LONG), model: 'mortal' })
  const reading = (async () => {
    for await (const _text of stream.textDeltas()) mortal.host.signal('SIGKILL')
  })()
  await expect(reading).rejects.toMatchObject({ code: 'stream_interrupted' })
  const helper = await network.startedHost(own)
  const next = await connection.chat.create({ ...request(5), model: 'mortal' })
  expect([connection.mode, connection.failure?.code]).toEqual(['orchestrated', 'connection_error'])
  expect([next.usage.completion_tokens, helper.jobs]).toEqual([5, 1])
  expect(await paid()).toBe(0)
  await mortal.way.close()
  await network.expectBalanced()
})
