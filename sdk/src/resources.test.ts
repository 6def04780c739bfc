import { expect, test } from 'vitest'
import { client, errorOf, request } from '../test/client.ts'
import { FakeOrc } from '../test/fake-orc.ts'

test('models: list and get', async () => {
  const { models } = client(new FakeOrc())
  expect(await models.list()).toMatchObject([{ id: 'daisi-nano', hosts_online: 1 }])
  expect(await models.get('daisi-nano')).toMatchObject({ id: 'daisi-nano', context_length: 2_048 })
  expect(await errorOf(models.get('none'))).toMatchObject({
    code: 'not_found',
    status: 404,
    requestId: 'req_1',
  })
})

test('an id is one segment of the path', async () => {
  const orc = new FakeOrc()
  const daisi = client(orc)
  await errorOf(daisi.models.get('a/b?c'))
  expect(orc.seen[0]?.url.pathname).toBe('/v1/models/a%2Fb%3Fc')
  for (const id of ['', '.', '..']) {
    expect(await errorOf(daisi.sessions.close(id))).toMatchObject({ code: 'invalid_request', param: 'id' })
  }
  expect(orc.seen).toHaveLength(1)
})

test('[A4] the Network of the client, of the call', async () => {
  const orc = new FakeOrc()
  const daisi = client(orc, { network: 'home' })
  expect(await daisi.usage.get()).toMatchObject({ network: 'home', balance: { available: 9, held: 1 } })
  expect(await daisi.usage.get({ network: 'work' })).toMatchObject({ network: 'work' })
  expect(await client(orc).usage.get()).toMatchObject({ network: 'public' })
})

test('[S1] a Session is opened, read and closed', async () => {
  const orc = new FakeOrc()
  const { sessions } = client(orc)
  const session = await sessions.create({ network: 'home', budget: 100, ttl_seconds: 60 })
  expect(session).toMatchObject({ object: 'session', status: 'open', network: 'home', budget: 100 })
  expect(orc.seen[0]?.headers.get('daisi-network')).toBe('home')
  expect(await sessions.get(session.id)).toEqual(session)
  expect(await sessions.close(session.id)).toEqual({ ...session, status: 'closed' })
  expect(await errorOf(sessions.get('sess_9'))).toMatchObject({ code: 'not_found' })
})

test('[A4] chat joins the Session of the client or call, on the Network of the Session', async () => {
  const orc = new FakeOrc()
  const daisi = client(orc, { network: 'public' })
  const session = await daisi.sessions.create({ network: 'home' })
  const inside = daisi.withSession(session)
  await inside.chat.create(request)
  await daisi.chat.create(request, { session: session.id })
  await daisi.chat.create(request)
  await inside.models.list()
  await daisi.withSession(session.id).models.list()
  const headers = orc.seen
    .slice(1)
    .map((seen) => [seen.headers.get('daisi-session'), seen.headers.get('daisi-network')])
  expect(headers).toEqual([
    [session.id, null],
    [session.id, null],
    [null, 'public'],
    [null, 'home'],
    [null, 'public'],
  ])
})

test('[S2] a closed Session refuses, and can still be read', async () => {
  const orc = new FakeOrc()
  const daisi = client(orc)
  const session = await daisi.sessions.create()
  const inside = daisi.withSession(session)
  await inside.sessions.close(session.id)
  expect(await errorOf(inside.chat.create(request))).toMatchObject({
    code: 'session_closed',
    isRetryable: false,
  })
  expect(await inside.sessions.get(session.id)).toMatchObject({ status: 'closed' })
})
