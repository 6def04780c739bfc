import { env } from 'cloudflare:workers'
import {
  CloseCode,
  HOST_CONNECT_PATH,
  HOST_SUBPROTOCOL,
  type HostList,
  type NetworkGuests,
  type NetworkHostList,
  type Session,
} from '@daisi/protocol'
import { decodeJwt } from 'jose'
import { expect, test } from 'vitest'
import { newId } from '../src/domain/ids.ts'
import type { RelayRequest } from '../src/objects/host/attachments.ts'
import { RELAY_REQUEST_HEADER } from '../src/objects/host/headers.ts'
import { hostStub } from '../src/objects/stubs.ts'
import { openDirect } from './support/direct.ts'
import { type Guests, isServing, letIn, newGuests, offerOf, path } from './support/guests.ts'
import { SESSIONS_AWAY, callWith, databaseWithPause, hostsThatFail } from './support/meddling.ts'
import { accept, invite } from './support/networks.ts'
import { call, newAccount, newEnrolment, newKey } from './support/orc.ts'
import { chat, errorCode } from './support/scene.ts'
import { type HostKeys, TestHost, enrol, newHostKeys, proofOf } from './support/test-host.ts'

const SERVICE_RESTART = 1012

/** Connects a Host while something happens, after the first matching query of the Worker that lets it in. */
async function connectDuring(keys: HostKeys, query: RegExp, happens: () => Promise<void>): Promise<Response> {
  const headers = { upgrade: 'websocket', 'sec-websocket-protocol': HOST_SUBPROTOCOL }
  const bindings = { DB: databaseWithPause(query, happens) }
  return callWith(bindings, 'GET', HOST_CONNECT_PATH, { token: await proofOf(keys), headers })
}

const RIGHTS_ARE_READ = /"cidrs" from "host_networks"/

test.for([
  {
    title: 'it is sent away',
    happens: (scene: Guests) => call('DELETE', path(scene).networkHost, { token: scene.owner.token }),
  },
  {
    title: 'it leaves',
    happens: (scene: Guests) => call('DELETE', path(scene).hostNetwork, { token: scene.guest.token }),
  },
  {
    title: 'its account is sent away',
    happens: (scene: Guests) => call('DELETE', path(scene).guest, { token: scene.owner.token }),
  },
  {
    title: 'the Network is removed',
    happens: (scene: Guests) => call('DELETE', path(scene).network, { token: scene.owner.token }),
  },
  {
    title: 'the Network’s address blocks change',
    happens: (scene: Guests) =>
      call('PATCH', path(scene).network, { token: scene.owner.token, body: { cidrs: ['192.0.2.0/24'] } }),
  },
  {
    title: 'it is handed over',
    happens: async (scene: Guests) =>
      call('POST', '/api/host-transfers/accept', {
        token: (await newAccount('buyer')).token,
        body: { token: await offerOf(scene) },
      }),
  },
])(
  '[C4, N3] a Host that connects while $title does not get in with what it might do before',
  async ({ happens }) => {
    const scene = await newGuests()
    const statuses: number[] = []
    const response = await connectDuring(scene.keys, RIGHTS_ARE_READ, async () => {
      statuses.push((await happens(scene)).status)
    })
    expect(statuses.every((status) => status === 200 || status === 204)).toBe(true)
    expect(statuses).toHaveLength(1)
    expect([response.status, response.headers.has('retry-after'), await errorCode(response)]).toEqual([
      503,
      true,
      'storage_unavailable',
    ])
    // It tries again, and serves what it still may.
    await TestHost.connect(scene.keys)
    expect(await isServing(scene)).toBe(false)
  },
)

test('[C4] a Host that is removed while it connects is refused for good', async () => {
  const scene = await newGuests()
  const response = await connectDuring(scene.keys, RIGHTS_ARE_READ, async () => {
    await call('DELETE', path(scene).host, { token: scene.guest.token })
  })
  expect([response.status, await errorCode(response)]).toEqual([401, 'invalid_api_key'])
})

test('[C4] a change just before a Host’s rights are read holds nobody up', async () => {
  const scene = await newGuests()
  const response = await connectDuring(scene.keys, /from "hosts"/, async () => {
    await call('DELETE', path(scene).networkHost, { token: scene.owner.token })
  })
  expect(response.status).toBe(101)
  response.webSocket?.accept()
})

const HOSTS_AWAY = { HOSTS: hostsThatFail('changeNetworks', 'changeOwner', 'remove') }
const KEYS_AWAY = { SESSIONS: SESSIONS_AWAY }

test.for([
  { what: 'networkHost', by: 'owner', away: HOSTS_AWAY, afterwards: 404 },
  { what: 'hostNetwork', by: 'guest', away: HOSTS_AWAY, afterwards: 404 },
  { what: 'guest', by: 'owner', away: HOSTS_AWAY, afterwards: 404 },
  { what: 'guest', by: 'owner', away: KEYS_AWAY, afterwards: 404 },
  { what: 'network', by: 'owner', away: HOSTS_AWAY, afterwards: 204 },
  { what: 'network', by: 'owner', away: KEYS_AWAY, afterwards: 204 },
  { what: 'host', by: 'guest', away: HOSTS_AWAY, afterwards: 204 },
] as const)(
  '[N3] DELETE of a $what of which not everybody could be told is repeated until all know',
  async ({ what, by, away, afterwards }) => {
    const scene = await newGuests()
    const host = await TestHost.connect(scene.keys, { model: scene.network })
    const key = await newKey(scene.guest, { networks: [scene.network] })
    const session = { key, model: 'none-such' }
    expect(await errorCode(await chat(session))).toBe('no_host_available')
    const { token } = scene[by]
    const first = await callWith(away, 'DELETE', path(scene)[what], { token })
    expect([first.status, await errorCode(first)]).toEqual([503, 'storage_unavailable'])
    // Whoever could be told was told, and what is in the database is done.
    expect(await isServing(scene)).toBe(away === HOSTS_AWAY)
    if (what === 'guest') {
      const guests = await call('GET', `${path(scene).network}/accounts`, { token: scene.owner.token })
      expect((await guests.json<NetworkGuests>()).accounts).toEqual([])
    }
    if (what !== 'network') {
      const hosts = await call('GET', `${path(scene).network}/hosts`, { token: scene.owner.token })
      expect((await hosts.json<NetworkHostList>()).hosts).toEqual([])
    }
    const again = await call('DELETE', path(scene)[what], { token })
    expect(again.status).toBe(204)
    expect(await isServing(scene)).toBe(false)
    if (what === 'host') expect((await host.closed).code).toBe(CloseCode.Revoked)
    if (what === 'guest' || what === 'network')
      expect(await errorCode(await chat(session))).toBe('network_not_allowed')
    expect((await call('DELETE', path(scene)[what], { token })).status).toBe(afterwards)
  },
)

test('[N3] a Host on its way out is not let back in by an approval, but may ask anew', async () => {
  const scene = await newGuests()
  const approve = `${path(scene).networkHost}/approve`
  await callWith(HOSTS_AWAY, 'DELETE', path(scene).hostNetwork, { token: scene.guest.token })
  expect((await call('POST', approve, { token: scene.owner.token })).status).toBe(404)
  const asked = await call('PUT', path(scene).hostNetwork, { token: scene.guest.token })
  expect(await asked.json()).toEqual({ network: scene.network, status: 'pending' })
  expect((await call('POST', approve, { token: scene.owner.token })).status).toBe(204)
})

test('[N2, N3] a guest on its way out is a guest again by a new invitation', async () => {
  const scene = await newGuests()
  await callWith(KEYS_AWAY, 'DELETE', path(scene).guest, { token: scene.owner.token })
  expect((await accept(scene.guest, await invite(scene.owner, scene.network, 'account'))).status).toBe(200)
  await letIn(scene)
})

test('[N3, N4] a change of address blocks of which not every Host could be told is repeated', async () => {
  const scene = await newGuests()
  await TestHost.connect(scene.keys)
  const options = { token: scene.owner.token, body: { cidrs: ['192.0.2.0/24'] } }
  const first = await callWith(HOSTS_AWAY, 'PATCH', path(scene).network, options)
  expect([first.status, await errorCode(first)]).toEqual([503, 'storage_unavailable'])
  expect(await isServing(scene)).toBe(true)
  expect((await call('PATCH', path(scene).network, options)).status).toBe(200)
  // It came from no address that is known.
  expect(await isServing(scene)).toBe(false)
})

test('[N6] a transfer of which the Host could not be told is repeated by who took it, and by nobody else', async () => {
  const scene = await newGuests()
  const host = await TestHost.connect(scene.keys)
  const token = await offerOf(scene)
  const [buyer, thief] = [await newAccount('buyer'), await newAccount('thief')]
  const route = '/api/host-transfers/accept'
  const first = await callWith(HOSTS_AWAY, 'POST', route, { token: buyer.token, body: { token } })
  expect([first.status, await errorCode(first)]).toEqual([503, 'storage_unavailable'])
  for (const account of [thief, scene.guest]) {
    expect((await call('POST', route, { token: account.token, body: { token } })).status).toBe(404)
  }
  const again = await call('POST', route, { token: buyer.token, body: { token } })
  expect([again.status, await again.json()]).toEqual([200, { host: scene.keys.id }])
  expect((await host.closed).code).toBe(SERVICE_RESTART)
  const list = await call('GET', '/api/hosts', { token: buyer.token })
  expect((await list.json<HostList>()).hosts).toMatchObject([{ id: scene.keys.id, networks: ['public'] }])
})

test.for([
  {
    title: 'sent away',
    happens: (scene: Guests) => call('DELETE', path(scene).networkHost, { token: scene.owner.token }),
  },
  {
    title: 'handed over',
    happens: async (scene: Guests) =>
      call('POST', '/api/host-transfers/accept', {
        token: (await newAccount('buyer')).token,
        body: { token: await offerOf(scene) },
      }),
  },
])(
  '[D9, N3] a Host that is $title is told that its tokens for the Network are revoked',
  async ({ happens }) => {
    const scene = await newGuests()
    const direct = { endpoint: 'https://192.0.2.7:8790', certificateSha256: 'b'.repeat(64) }
    const model = scene.network
    const host = await TestHost.connect(scene.keys, { model, direct })
    const bound = await newHostKeys()
    const opened = await Promise.all(
      [scene.network, 'public'].map(async (network) => {
        const key = await newKey(scene.owner, { networks: [network] })
        const session = await (await openDirect({ key, model, bound })).json<Session>()
        return decodeJwt(session.direct?.token ?? '').jti
      }),
    )
    await happens(scene)
    expect((await host.receive('direct-revoked')).tokenIds).toEqual(opened.slice(0, 1))
  },
)

test('[N3] a Host takes no Job of a Network that it does not serve, whatever its directory says', async () => {
  const scene = await newGuests()
  await TestHost.connect(scene.keys)
  const open = async (network: string): Promise<number> => {
    const request: RelayRequest = {
      jobId: newId('job'),
      sessionId: `ses_${'a'.repeat(32)}`,
      sessionName: 'plain:none',
      kind: 'chat',
      model: 'test-model',
      network,
      promptBytes: 1,
      promptBound: 1,
      budget: 10,
      maxTokens: 1,
      resumed: false,
    }
    const headers = { upgrade: 'websocket', [RELAY_REQUEST_HEADER]: JSON.stringify(request) }
    const response = await hostStub(env, scene.keys.id).fetch('https://host/relay', { headers })
    response.webSocket?.accept()
    response.webSocket?.close(1000, 'done')
    return response.status
  }
  expect(await open(scene.network)).toBe(101)
  expect((await call('DELETE', path(scene).networkHost, { token: scene.owner.token })).status).toBe(204)
  expect([await open(scene.network), await open('public')]).toEqual([503, 101])
})

test('[C3] a token that a Host has used does not bring it back to where it was sent away from', async () => {
  const owner = await newAccount('owner')
  const { token } = await newEnrolment(owner)
  const keys = await newHostKeys()
  expect((await enrol(keys, token)).status).toBe(200)
  const route = `/api/hosts/${keys.id}/networks/public`
  expect((await call('DELETE', route, { token: owner.token })).status).toBe(204)
  const again = await enrol(keys, token)
  expect([again.status, await again.json()]).toMatchObject([200, { networks: [] }])
})
