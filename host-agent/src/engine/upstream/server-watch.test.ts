import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { ManualClock } from '../../testing/manual-clock.ts'
import { openServers, ServerWatch } from './server-watch.ts'
import { silentLogger, spec, startServer } from './testing/server-setup.ts'
import type { TestServer } from './testing/test-server.ts'

const signal = new AbortController().signal

function list(...ids: readonly string[]): object {
  return { object: 'list', data: ids.map((id) => ({ id, object: 'model' })) }
}

/** What a watch tells, as lines, and the next of them. */
class Told {
  readonly lines: string[] = []
  #wake = (): void => {}

  add(line: string): void {
    this.lines.push(line)
    this.#wake()
  }

  async until(count: number): Promise<string[]> {
    while (this.lines.length < count) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    return this.lines
  }
}

function watchOf(servers: readonly TestServer[], told: Told, clock = new ManualClock()): ServerWatch {
  const specs = servers.map(({ url }) => spec(`openai=${url}`))
  return new ServerWatch(specs, {
    logger: silentLogger,
    clock,
    onAdded: ({ offer }) => {
      told.add(`+${offer.id}:${offer.contextLength}`)
      return !offer.id.startsWith('taken')
    },
    onRemoved: ({ offer }) => told.add(`-${offer.id}`),
  })
}

test('the models of all servers are found, each once; a server that is down is left for later', async () => {
  const [one, two, down] = [
    await startServer({ 'GET /v1/models': list('a', 'b') }),
    await startServer({ 'GET /v1/models': list('b', 'c') }),
    await startServer({}),
  ]
  await down.close()
  const specs = [one.url, two.url, down.url].map((url) => spec(`openai=${url}`))
  const sources = await openServers(specs, { logger: silentLogger, signal })
  expect(sources.map(({ offer }) => offer.id).toSorted()).toEqual(['a', 'b', 'c'])
})

test('models come and go with their server', async () => {
  const server = await startServer({ 'GET /v1/models': list('a', 'b') })
  const { port } = server
  const told = new Told()
  const watch = watchOf([server], told)
  await watch.look(signal)
  server.routes['GET /v1/models'] = list('b', 'c')
  await watch.look(signal)
  server.routes['GET /v1/models'] = { data: [{ id: 'b', context_length: 9_000 }] }
  await watch.look(signal)
  expect(told.lines).toEqual(['+a:4096', '+b:4096', '-a', '+c:4096', '-b', '-c', '+b:9000'])
  await server.close()
  // It may only be restarting.
  for (let look = 0; look < 3; look++) await watch.look(signal)
  expect(told.lines).toHaveLength(7)
  for (let look = 0; look < 3; look++) await watch.look(signal)
  expect(told.lines.slice(7)).toEqual(['-b'])
  await startServer({ 'GET /v1/models': list('b') }, port)
  await watch.look(signal)
  expect(told.lines.slice(8)).toEqual(['+b:4096'])
})

test('what another server has comes from there when the first one is gone', async () => {
  const one = await startServer({ 'GET /v1/models': list('a') })
  const two = await startServer({ 'GET /v1/models': list('b') })
  const told = new Told()
  const watch = watchOf([one, two], told)
  await watch.look(signal)
  one.routes['GET /v1/models'] = list()
  await watch.look(signal)
  two.routes['GET /v1/models'] = list('b', 'a')
  await watch.look(signal)
  expect(told.lines.toSorted()).toEqual(['+a:4096', '+a:4096', '+b:4096', '-a'])
})

test('a model that cannot be taken is asked about again, and never said to be gone', async () => {
  const server = await startServer({ 'GET /v1/models': list('taken', 'a') })
  const told = new Told()
  const watch = watchOf([server], told)
  await watch.look(signal)
  await watch.look(signal)
  server.routes['GET /v1/models'] = list()
  await watch.look(signal)
  expect(told.lines).toEqual(['+taken:4096', '+a:4096', '+taken:4096', '-a'])
})

test('it looks again every minute until it is stopped', async () => {
  const server = await startServer({ 'GET /v1/models': list('a') })
  const clock = new ManualClock()
  const told = new Told()
  const watch = watchOf([server], told, clock)
  const running = watch.run()
  await told.until(1)
  server.routes['GET /v1/models'] = list('a', 'b')
  await setImmediate()
  clock.advance(60_000)
  expect(await told.until(2)).toEqual(['+a:4096', '+b:4096'])
  watch.stop()
  await running
})
