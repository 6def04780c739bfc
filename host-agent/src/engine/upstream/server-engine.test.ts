import { expect, test } from 'vitest'
import { monotonicClock } from '../../clock.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import type { Engine } from '../engine.ts'
import { chatJob, events, openText, silentLogger, spec, startServer, textOf } from './testing/server-setup.ts'
import { chatRoute } from './testing/test-server.ts'
import { TextServer } from './text-server.ts'

const models = {
  object: 'list',
  data: [
    { id: 'a', object: 'model' },
    { id: 'b', object: 'model' },
  ],
}
const routes = { 'GET /v1/models': models, 'POST /v1/chat/completions': chatRoute(['hi']) }
const signal = new AbortController().signal

function readyIs(engine: Engine, wanted: boolean): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const check = (): void => {
    if (engine.ready === wanted) resolve()
  }
  engine.onReadyChange(check)
  check()
  return promise
}

test('an engine is not ready while its server is down, and comes back by itself', async () => {
  const clock = new ManualClock()
  const first = await startServer(routes)
  const { port } = first
  const engine = await openText(first, 'openai', { clock })
  expect(engine.ready).toBe(true)
  await first.close()
  // A job finds out at once; without one the next look does.
  const [refused] = await events(engine, chatJob('x'))
  expect(refused).toMatchObject({ type: 'refused', refusal: { code: 'model_not_loaded' } })
  await readyIs(engine, false)
  await startServer(routes, port)
  clock.advance(30_000)
  await readyIs(engine, true)
  expect(textOf(await events(engine, chatJob('x')))).toBe('hi')
})

test('a model that its server has no more is not ready; the others of the server are', async () => {
  const clock = new ManualClock()
  const server = await startServer({ ...routes })
  const parsed = spec(`openai=${server.url}`)
  if (parsed.type !== 'text') throw new Error('no text server')
  const sources = await new TextServer(parsed, silentLogger, clock).discover(signal)
  const [a, b] = await Promise.all(sources.map((source) => source.open(() => {}, signal)))
  server.routes['GET /v1/models'] = { object: 'list', data: [{ id: 'b', object: 'model' }] }
  clock.advance(15_000)
  await readyIs(a!, false)
  expect(b!.ready).toBe(true)
  await a!.close()
  await b!.close()
})

test('an engine is looked after only while it is open', async () => {
  const clock = new ManualClock()
  const server = await startServer(routes)
  const engine = await openText(server, 'openai', { clock })
  await engine.close()
  const looks = server.to('GET /v1/models').length
  clock.advance(600_000)
  expect(server.to('GET /v1/models')).toHaveLength(looks)
})

test('a source says what is wrong when it cannot be opened', async () => {
  const server = await startServer({ ...routes })
  const parsed = spec(`openai=${server.url}`)
  if (parsed.type !== 'text') throw new Error('no text server')
  const [source] = await new TextServer(parsed, silentLogger, monotonicClock).discover(signal)
  expect(source).toMatchObject({ memoryBytes: 0, from: server.url, defaultSampling: {} })
  server.routes['GET /v1/models'] = { object: 'list', data: [] }
  await expect(source!.open(() => {}, signal)).rejects.toMatchObject({ code: 'model_unusable' })
  await server.close()
  await expect(source!.open(() => {}, signal)).rejects.toMatchObject({ code: 'model_load_failed' })
})
