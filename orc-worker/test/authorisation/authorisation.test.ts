import { beforeAll, describe, expect, test } from 'vitest'
import { routes } from '../../src/routes/table.ts'
import { audit, call } from '../support/orc.ts'
import { type BadCredentials, attempts, badCredentials } from './callers.ts'
import { ROWS } from './rows.ts'
import { type World, newWorld } from './world.ts'

// Every route of the table against everybody who should not pass it, each with things of the victim in the path, so that a
// door that is open shows. What is answered to who may pass is told by the tests of each route.

let world: World
let bad: BadCredentials
beforeAll(async () => {
  world = await newWorld()
  bad = await badCredentials(world)
})

const nameOf = ({ method, path }: { method: string; path: string }): string => `${method} ${path}`

test('every route with a door has a row, and every row a route', () => {
  const guarded = routes.filter(({ access }) => access !== 'public').map(nameOf)
  expect(Object.keys(ROWS).toSorted()).toEqual(guarded.toSorted())
})

describe('each route answers everybody as it should', () => {
  test.for(
    routes.filter(({ access }) => access !== 'public').map((route) => [nameOf(route), route] as const),
  )('%s', async ([name, route]) => {
    const row = ROWS[name]
    if (row === undefined) throw new Error(`${name} has no row`)
    const wrong: unknown[] = []
    for (const { who, headers, status, code } of attempts(route, world, bad)) {
      const options = { headers, ...(row.body === undefined ? {} : { body: row.body(world) }) }
      const response = await call(route.method, row.path(world), options)
      const text = await response.text()
      const told = text.startsWith('{')
        ? (JSON.parse(text) as { error?: { code?: string } }).error?.code
        : undefined
      const isLetIn = response.status !== 401 && response.status !== 403 && response.status < 500
      const isRight = status === null ? isLetIn || told === 'no_host_available' : response.status === status
      // A page tells people, not programs.
      const isTold = code === undefined || code === told || text.startsWith('<!')
      if (!isRight || !isTold) wrong.push({ who, status: response.status, told })
      if (/daisi_(sk|at|ls|bt)_/.test(text) && status !== null) wrong.push({ who, text })
    }
    expect(wrong).toEqual([])
  })
})

test('after all these attempts the victim has what it had', async () => {
  const { victim, key, hosts, network, session, people } = world
  const get = async (path: string, token: string): Promise<string> =>
    (await call('GET', path, { token })).text()
  expect(await get('/api/hosts', victim.token)).toContain(hosts.victim.id)
  expect(await get('/api/networks', victim.token)).toContain(network)
  expect(await get(`/api/networks/${network}/hosts`, victim.token)).toContain('"status":"pending"')
  expect(await get(`/v1/sessions/${session.id}`, key.key)).toContain('"status":"open"')
  expect(await get('/api/members', victim.token)).toContain(people.owner.userId)
  const logins = await call('GET', '/api/me', { headers: { cookie: people.owner.cookie } })
  expect(logins.status).toBe(200)
  expect(await audit()).toMatchObject({ sum: 0, drifted: 0, overdrawn: 0 })
})
