import type {
  AccountCreated,
  ErrorBody,
  HostList,
  NetworkHostList,
  NetworkList,
  Session,
} from '@daisi/protocol'
import { expect, test } from 'vitest'
import { accept, invite, makeGuest, newNetwork } from './support/networks.ts'
import { call, newAccount, newEnrolment, newKey } from './support/orc.ts'
import { chat, errorCode } from './support/scene.ts'
import { TestHost, enrol, newHostKeys } from './support/test-host.ts'

let models = 0

/** A Host of this account, enrolled on a Network and online there. */
async function hostOn(owner: AccountCreated, network: string, model: string): Promise<TestHost> {
  const options = { token: owner.token, body: { network } }
  const enrolment = await call('POST', '/api/host-enrolments', options)
  const keys = await newHostKeys()
  const enrolled = await enrol(keys, (await enrolment.json<{ token: string }>()).token)
  if (enrolled.status !== 200) throw new Error(await enrolled.text())
  return TestHost.connect(keys, { model })
}

/** The Network on which the next Job of a Host runs, as its Session token says. */
async function servedOn(host: TestHost): Promise<string> {
  const run = await host.serve(['ok'])
  const payload = JSON.parse(
    atob((run.sessionToken.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/')),
  )
  return payload.net
}

function join(account: AccountCreated, host: string, network: string): Promise<Response> {
  return call('PUT', `/api/hosts/${host}/networks/${network}`, { token: account.token })
}

test('[N1, N5] a private Network is served and used by its own account only', async () => {
  const [owner, stranger] = [await newAccount('owner'), await newAccount('stranger')]
  const network = await newNetwork(owner)
  const model = `m-${++models}`
  const host = await hostOn(owner, network, model)
  const key = await newKey(owner, { networks: [network] })
  // The key names its Network, or none.
  for (const headers of [{ 'daisi-network': network }, {}]) {
    const answer = chat({ key, model }, {}, { headers })
    expect(await servedOn(host)).toBe(network)
    expect((await answer).status).toBe(200)
  }
  const outside = await newKey(stranger)
  const refused = await chat({ key: outside, model }, {}, { headers: { 'daisi-network': network } })
  expect([refused.status, await errorCode(refused)]).toEqual([403, 'network_not_allowed'])
  const unseen = await chat({ key: outside, model })
  expect([unseen.status, await errorCode(unseen)]).toEqual([503, 'no_host_available'])
  // One that exists and one that does not are refused alike.
  const strangersHost = await hostOn(stranger, 'public', model)
  const named = [network, 'no-such-network']
  const attempts = await Promise.all(
    named.flatMap((name) => [
      call('POST', '/api/host-enrolments', { token: stranger.token, body: { network: name } }),
      join(stranger, strangersHost.keys.id, name),
      call('PATCH', `/api/keys/${outside.id}`, { token: stranger.token, body: { networks: [name] } }),
      join(stranger, host.keys.id, name),
      call('PATCH', `/api/networks/${name}`, { token: stranger.token, body: { cidrs: [] } }),
      call('DELETE', `/api/networks/${name}`, { token: stranger.token }),
      call('POST', `/api/networks/${name}/invitations`, { token: stranger.token, body: { kind: 'account' } }),
    ]),
  )
  const told = await Promise.all(
    attempts.map(async (attempt) => {
      // Nothing but the name that was asked for may differ.
      const text = named.reduce((rest, name) => rest.replace(`Network ${name}.`, 'it.'), await attempt.text())
      return { status: attempt.status, text, ...(JSON.parse(text) as ErrorBody).error }
    }),
  )
  expect(told.slice(0, 7)).toEqual(told.slice(7))
  expect(told.slice(0, 7).map(({ status, code, param }) => [status, code, param])).toEqual([
    [403, 'network_not_allowed', 'network'],
    [403, 'network_not_allowed', 'network'],
    [403, 'network_not_allowed', 'networks'],
    ...Array.from({ length: 4 }, () => [404, 'not_found', null]),
  ])
})

test('[N2, N3] an account that was invited may use the Network, once for each invitation, until it is sent away', async () => {
  const [owner, guest, third] = [
    await newAccount('owner'),
    await newAccount('guest'),
    await newAccount('third'),
  ]
  const network = await newNetwork(owner)
  const model = `m-${++models}`
  const host = await hostOn(owner, network, model)
  const token = await invite(owner, network, 'account')
  expect((await accept(guest, token)).status).toBe(200)
  expect((await accept(third, token)).status).toBe(404)
  const list = await call('GET', '/api/networks', { token: guest.token })
  expect((await list.json<NetworkList>()).networks).toContainEqual({
    name: network,
    kind: 'private',
    owned: false,
    cidrs: [],
  })
  const key = await newKey(guest, { networks: [network] })
  const answer = chat({ key, model })
  expect(await servedOn(host)).toBe(network)
  expect((await answer).status).toBe(200)
  const opened = await call('POST', '/v1/sessions', { token: key.key, body: {} })
  const session = await opened.json<Session>()
  expect(
    (await call('DELETE', `/api/networks/${network}/accounts/${guest.id}`, { token: owner.token })).status,
  ).toBe(204)
  for (const headers of [{}, { 'daisi-network': network }, { 'daisi-session': session.id }]) {
    const refused = await chat({ key, model }, {}, { headers })
    expect([refused.status, await errorCode(refused)]).toEqual([403, 'network_not_allowed'])
  }
})

test('[N3, N7] a guest’s Host serves the Network once its owner approves, and leaves it with its account', async () => {
  const [owner, guest] = [await newAccount('owner'), await newAccount('guest')]
  const network = await newNetwork(owner)
  await makeGuest(owner, network, guest)
  const model = `m-${++models}`
  const host = await hostOn(guest, network, model)
  const key = await newKey(owner, { networks: [network] })
  const before = await chat({ key, model })
  expect([before.status, await errorCode(before)]).toEqual([503, 'no_host_available'])
  const waiting = await call('GET', `/api/networks/${network}/hosts`, { token: owner.token })
  expect((await waiting.json<NetworkHostList>()).hosts).toMatchObject([
    { id: host.keys.id, status: 'pending' },
  ])
  const approve = `/api/networks/${network}/hosts/${host.keys.id}/approve`
  expect((await call('POST', approve, { token: guest.token })).status).toBe(404)
  expect((await call('POST', approve, { token: owner.token })).status).toBe(204)
  // It connects again, and is then told of its new Network.
  expect((await host.closed).code).toBe(1012)
  const back = await TestHost.connect(host.keys, { model })
  const answer = chat({ key, model })
  expect(await servedOn(back)).toBe(network)
  expect((await answer).status).toBe(200)
  await call('DELETE', `/api/networks/${network}/accounts/${guest.id}`, { token: owner.token })
  const after = await chat({ key, model })
  expect([after.status, await errorCode(after)]).toEqual([503, 'no_host_available'])
})

test('[N2, N5] a Host of any account joins by an invitation of its own kind, and only its owner can bring it', async () => {
  const [owner, other, thief] = [
    await newAccount('owner'),
    await newAccount('other'),
    await newAccount('thief'),
  ]
  const network = await newNetwork(owner)
  const model = `m-${++models}`
  const host = await hostOn(other, 'public', model)
  const token = await invite(owner, network, 'host')
  expect((await accept(thief, token, host.keys.id)).status).toBe(404)
  expect((await accept(other, token)).status).toBe(404)
  expect((await accept(other, token, host.keys.id)).status).toBe(200)
  expect((await host.closed).code).toBe(1012)
  const list = await call('GET', '/api/hosts', { token: other.token })
  expect((await list.json<HostList>()).hosts[0]?.networks.toSorted()).toEqual([network, 'public'].toSorted())
  const back = await TestHost.connect(host.keys, { model })
  const key = await newKey(owner, { networks: ['public', network] })
  // Private before public: the same Host serves both.
  const answer = chat({ key, model })
  expect(await servedOn(back)).toBe(network)
  expect((await answer).status).toBe(200)
  // Its account is no guest.
  const foreign = await call('POST', '/api/host-enrolments', { token: other.token, body: { network } })
  expect(foreign.status).toBe(403)
})

test('an invitation that was withdrawn or has been used lets nobody in', async () => {
  const [owner, guest] = [await newAccount('owner'), await newAccount('guest')]
  const network = await newNetwork(owner)
  const token = await invite(owner, network, 'account')
  const list = await call('GET', `/api/networks/${network}/invitations`, { token: owner.token })
  const [invitation] = (await list.json<{ invitations: { id: string }[] }>()).invitations
  const path = `/api/networks/${network}/invitations/${invitation?.id}`
  expect((await call('DELETE', path, { token: guest.token })).status).toBe(404)
  expect((await call('DELETE', path, { token: owner.token })).status).toBe(204)
  expect((await accept(guest, token)).status).toBe(404)
  const raced = await invite(owner, network, 'account')
  const others = await Promise.all(['a', 'b', 'c'].map(newAccount))
  const statuses = await Promise.all(others.map(async (account) => (await accept(account, raced)).status))
  expect(statuses.filter((status) => status === 200)).toHaveLength(1)
})

test('a Network that is removed is gone for keys and Hosts alike, and its name stays taken', async () => {
  const owner = await newAccount('owner')
  const network = await newNetwork(owner)
  const model = `m-${++models}`
  const host = await hostOn(owner, network, model)
  const key = await newKey(owner, { networks: [network] })
  const answer = chat({ key, model })
  await host.serve(['ok'])
  await answer
  expect((await call('DELETE', `/api/networks/${network}`, { token: owner.token })).status).toBe(204)
  const refused = await chat({ key, model })
  expect([refused.status, await errorCode(refused)]).toEqual([403, 'network_not_allowed'])
  const again = await call('POST', '/api/networks', { token: owner.token, body: { name: network } })
  expect([again.status, await errorCode(again)]).toEqual([409, 'conflict'])
})

test('[N4] a Network with address blocks is closed to who comes from elsewhere', async () => {
  const owner = await newAccount('owner')
  const network = await newNetwork(owner, { cidrs: ['10.1.0.0/16', 'fd00::/8'] })
  const model = `m-${++models}`
  const key = await newKey(owner, { networks: [network] })
  const from = (address: string) => ({ 'cf-connecting-ip': address })
  for (const address of ['10.2.0.1', '192.0.2.1', 'fe80::1', 'nonsense']) {
    const refused = await chat({ key, model }, {}, { headers: from(address) })
    expect([refused.status, await errorCode(refused)]).toEqual([403, 'network_not_allowed'])
  }
  for (const address of ['10.1.2.3', 'fd12::7', '::ffff:10.1.2.3']) {
    const served = await chat({ key, model }, {}, { headers: from(address) })
    expect([served.status, await errorCode(served)]).toEqual([503, 'no_host_available'])
  }
  // A Host from elsewhere connects, and serves nothing of it.
  const host = await hostOn(owner, network, model)
  const unserved = await chat({ key, model }, {}, { headers: from('10.1.2.3') })
  expect(unserved.status).toBe(503)
  host.close()
  const wrong = await call('PATCH', `/api/networks/${network}`, {
    token: owner.token,
    body: { cidrs: ['10.1.0.0/99'] },
  })
  expect([wrong.status, await errorCode(wrong)]).toEqual([400, 'invalid_request'])
  await call('PATCH', `/api/networks/${network}`, { token: owner.token, body: { cidrs: ['192.0.2.0/24'] } })
  const moved = await chat({ key, model }, {}, { headers: from('10.1.2.3') })
  expect(moved.status).toBe(403)
})

test('[N5] a key’s spend order decides where its requests run', async () => {
  const owner = await newAccount('owner')
  const other = await newAccount('other')
  const network = await newNetwork(owner)
  await makeGuest(owner, network, other)
  const model = `m-${++models}`
  const onPublic = await hostOn(owner, 'public', model)
  const privately = await hostOn(owner, network, model)
  const orders = [
    [['own', 'private', 'public'], privately],
    [['public', 'private'], onPublic],
    [['private'], privately],
    [['public'], onPublic],
  ] as const
  for (const [order, expected] of orders) {
    const key = await newKey(other, { networks: ['public', network], spend_order: order })
    const answer = chat({ key, model })
    await expected.serve(['ok'])
    expect((await answer).status).toBe(200)
  }
})

test('[N6] a Host is handed over by its owner’s offer, once, and earns for its new account from then on', async () => {
  const [seller, buyer, thief] = [
    await newAccount('seller'),
    await newAccount('buyer'),
    await newAccount('thief'),
  ]
  const network = await newNetwork(seller)
  const model = `m-${++models}`
  const host = await hostOn(seller, network, model)
  const path = `/api/hosts/${host.keys.id}/transfer`
  expect((await call('POST', path, { token: thief.token })).status).toBe(404)
  const offered = await call('POST', path, { token: seller.token })
  const { token } = await offered.json<{ token: string }>()
  const take = (account: AccountCreated): Promise<Response> =>
    call('POST', '/api/host-transfers/accept', { token: account.token, body: { token } })
  const statuses = await Promise.all([take(buyer), take(thief)].map(async (taken) => (await taken).status))
  expect(statuses.filter((status) => status === 404)).toHaveLength(1)
  const winner = statuses[0] === 200 ? buyer : thief
  expect((await host.closed).code).toBe(1012)
  const list = await call('GET', '/api/hosts', { token: winner.token })
  // The private Network was its former owner's.
  expect((await list.json<HostList>()).hosts).toMatchObject([{ id: host.keys.id, networks: [] }])
  expect((await call('DELETE', `/api/hosts/${host.keys.id}`, { token: seller.token })).status).toBe(404)
})

test('an enrolment token does not bring another account’s Host into a Network', async () => {
  const [owner, other] = [await newAccount('owner'), await newAccount('other')]
  const network = await newNetwork(other)
  const keys = await newHostKeys()
  await enrol(keys, (await newEnrolment(owner)).token)
  const options = { token: other.token, body: { network } }
  const enrolment = await call('POST', '/api/host-enrolments', options)
  const refused = await enrol(keys, (await enrolment.json<{ token: string }>()).token)
  expect(refused.status).toBe(409)
  const hosts = await call('GET', `/api/networks/${network}/hosts`, { token: other.token })
  expect((await hosts.json<NetworkHostList>()).hosts).toEqual([])
})

test('[N4, N7] address blocks that change take a Network from Hosts elsewhere at once, and end no Job', async () => {
  const owner = await newAccount('owner')
  const network = await newNetwork(owner)
  const model = `m-${++models}`
  const host = await hostOn(owner, network, model)
  await join(owner, host.keys.id, 'public')
  expect((await host.closed).code).toBe(1012)
  const back = await TestHost.connect(host.keys, { model })
  const key = await newKey(owner, { networks: ['public', network] })
  const answer = chat({ key, model }, { stream: true }, { headers: { 'daisi-network': network } })
  const run = await back.receive('run')
  back.accept(run)
  back.sendFrame(run.jobId, 0, 'ok')
  // The Host came from nowhere that is known, so it is outside of any block.
  const change = { token: owner.token, body: { cidrs: ['10.0.0.0/8'] } }
  expect((await call('PATCH', `/api/networks/${network}`, change)).status).toBe(200)
  await back.end(run, { promptTokens: 10, cachedTokens: 0, generatedTokens: 1 })
  expect(await (await answer).text()).toContain('[DONE]')
  const near = { 'cf-connecting-ip': '10.0.0.1', 'daisi-network': network }
  expect((await chat({ key, model }, {}, { headers: near })).status).toBe(503)
  const elsewhere = chat({ key, model }, {}, { headers: { 'daisi-network': 'public' } })
  await back.serve(['ok'])
  expect((await elsewhere).status).toBe(200)
})
