import { expect, test } from 'vitest'
import { client, request } from '../test/client.ts'
import { FakeOrc } from '../test/fake-orc.ts'
import type { Middleware } from './options.ts'

test('middleware runs around each attempt, the first one outermost', async () => {
  const orc = new FakeOrc().next(() => Response.json({}, { status: 503, headers: { 'retry-after-ms': '1' } }))
  const order: string[] = []
  const named =
    (name: string): Middleware =>
    async (outgoing, next) => {
      order.push(`${name} before`)
      outgoing.headers.append('x-passed', name)
      const response = await next(outgoing)
      order.push(`${name} after ${response.status}`)
      return response
    }
  await client(orc, { middleware: [named('outer'), named('inner')] }).chat.create(request)
  expect(order.join(', ')).toBe(
    'outer before, inner before, inner after 503, outer after 503, outer before, inner before, inner after 200, outer after 200',
  )
  expect(orc.seen.map(({ headers }) => headers.get('x-passed'))).toEqual(['outer, inner', 'outer, inner'])
})

test('it may answer by itself, and what it throws counts as a failed connection', async () => {
  const orc = new FakeOrc()
  const model = { id: 'cached', object: 'model' }
  const cache: Middleware = () => Promise.resolve(Response.json(model))
  expect(await client(orc, { middleware: [cache] }).models.get('any')).toEqual(model)
  const broken: Middleware = () => Promise.reject(new Error('no'))
  const failing = client(orc, { middleware: [broken], maxRetries: 0 })
  await expect(failing.models.list()).rejects.toMatchObject({ code: 'connection_error' })
  expect(orc.seen).toHaveLength(0)
})

test('which Hosts, and how long to wait for one, travel as headers', async () => {
  const orc = new FakeOrc()
  await client(orc).chat.create(request, { host: 'calm-heron-1', excludeHosts: ['a', 'b'], waitSeconds: 20 })
  const { headers } = orc.seen[0]!
  expect([headers.get('daisi-host'), headers.get('daisi-exclude-hosts'), headers.get('daisi-wait')]).toEqual([
    'calm-heron-1',
    'a,b',
    '20',
  ])
})
