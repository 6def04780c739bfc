import { afterEach, beforeEach, expect, test } from 'vitest'
import { bringsText, errorCode, post, readStream } from './support/chat.ts'
import { type Consumer, type Network, startNetwork } from './support/network.ts'
import { slowModel } from './support/slow-model.ts'

let network: Network

beforeEach(async () => {
  network = await startNetwork()
})
afterEach(() => network?.stop())

/** Status and, if it is an error, code of a short request. */
async function ask(consumer: Consumer, model: string): Promise<readonly [number, string]> {
  const response = await post(network, consumer, { model, max_tokens: 1 })
  return [response.status, response.status === 200 ? '' : await errorCode(response)]
}

test('[C7] an Orc that is killed and started again: Hosts come back by themselves, the book is intact', async () => {
  const hosts = await Promise.all([
    network.startedHost({ model: 'first' }),
    network.startedHost({ model: 'second' }),
  ])
  const consumer = await network.newConsumer()
  const { usage } = await consumer.daisi.chat.create({
    model: 'first',
    messages: [{ role: 'user', content: 'Hello' }],
  })
  const cost = usage.total_tokens - usage.prompt_tokens_details.cached_tokens
  // The Host's receipt may come a moment after the answer.
  await expect
    .poll(async () => {
      await network.settle(consumer)
      return network.gained(network.owner)
    })
    .toBe(cost)
  const account = await network.balance(consumer.account)
  await network.orc.kill()
  await Promise.all(hosts.map((host) => host.logged('offline')))
  await network.restartOrc()
  await Promise.all(hosts.map((host) => host.logged('online', 2)))
  expect(await network.balance(consumer.account)).toEqual(account)
  expect(await network.gained(network.owner)).toBe(cost)
  expect(await ask(consumer, 'first')).toEqual([200, ''])
  expect(await ask(consumer, 'second')).toEqual([200, ''])
  const paid = await network.paid(consumer)
  expect(paid).toBeGreaterThan(cost)
  expect(await network.gained(network.owner)).toBe(paid)
  await network.expectBalanced()
})

test('[J6, P2] an Orc that is killed mid-stream: the connection breaks, the hold comes back, the rest is paid', async () => {
  const host = await network.startedHost({ modelPath: await slowModel(), model: 'slow', slots: 1, queue: 0 })
  const consumer = await network.newConsumer()
  const response = await post(network, consumer, { model: 'slow', stream: true, max_tokens: 3_000 })
  let sawEnd = false
  const reading = async (): Promise<void> => {
    let killing: Promise<void> | undefined
    for await (const event of readStream(response)) {
      if (bringsText(event)) killing ??= network.orc.kill()
      sawEnd ||= event === '[DONE]'
    }
    await killing
  }
  await expect(reading()).rejects.toThrow()
  expect(sawEnd).toBe(false)
  await network.orc.exited
  await network.restartOrc()
  await host.logged('online', 2)
  // Its only slot is free again: the orphan was cancelled.
  await expect.poll(() => ask(network.consumer, 'slow'), { timeout: 10_000 }).toEqual([200, ''])
  const paid = await network.paid(consumer)
  expect(paid).toBeGreaterThanOrEqual(0)
  expect(paid).toBeLessThan(3_000)
  await network.expectBalanced()
})

test('[Q1, Q2] a command waits for its Host, also while the Orc restarts, and is then carried out', async () => {
  const model = 'commanded'
  const first = await network.startedHost({ model })
  const { stateDir } = first
  expect(await ask(network.consumer, model)).toEqual([200, ''])
  expect(await first.end('SIGTERM')).toEqual({ code: 0, signal: null })
  expect(await network.command(first, 'pause')).toMatchObject({ delivered: false })
  await network.orc.kill()
  await network.restartOrc()
  const second = await network.startedHost({ model, stateDir })
  expect(second.hostId).toBe(first.hostId)
  await expect.poll(() => ask(network.consumer, model)).toEqual([503, 'no_host_available'])
  expect(await second.end('SIGTERM')).toEqual({ code: 0, signal: null })
  // The pause is the Host's own state by now, not a message that comes again (Q3).
  const third = await network.startedHost({ model, stateDir })
  await expect.poll(() => ask(network.consumer, model)).toEqual([503, 'no_host_available'])
  expect(await network.command(third, 'resume')).toMatchObject({ delivered: true })
  await expect.poll(() => ask(network.consumer, model)).toEqual([200, ''])
})

test('an Orc whose Hosts have left stops by itself, without being killed', async () => {
  const host = await network.startedHost()
  expect(await ask(network.consumer, host.model)).toEqual([200, ''])
  expect(await host.end('SIGTERM')).toEqual({ code: 0, signal: null })
  await network.orc.stop()
  expect(await network.orc.exited).toEqual({ code: 0, signal: null })
})
