import { env } from 'cloudflare:workers'
import { evictDurableObject } from 'cloudflare:test'
import { CloseCode, type Hello, type HostDetails, PROTOCOL_VERSION, hostDetails } from '@daisi/protocol'
import { expect, test } from 'vitest'
import { RELAY_REQUEST_HEADER } from '../src/objects/host/headers.ts'
import { directoryStub, hostStub } from '../src/objects/stubs.ts'
import { newNetwork } from './support/networks.ts'
import { call, newAccount, newEnrolment, newKey } from './support/orc.ts'
import { type Scene, chat, errorCode, newScene } from './support/scene.ts'
import { TestHost, newHost, newHostKeys, enrol, proofOf, upgrade } from './support/test-host.ts'

/** What the owner is shown. */
async function details({ host, owner }: Pick<Scene, 'host' | 'owner'>): Promise<HostDetails> {
  const response = await call('GET', `/api/hosts/${host.keys.id}`, { token: owner.token })
  return hostDetails.parse(await response.json())
}

const offer = { contextLength: 2048, kinds: ['chat' as const], capabilities: [] }

test('[H4, H11, H12] the owner is shown what the Host says of itself, also while both sleep or it is away', async () => {
  const scene = await newScene({
    offer: { aliases: ['nickname'] },
    hello: { agent: { name: 'daisi-host', version: '0.1.7' } },
  })
  const { host, model } = scene
  const loaded = { id: model, aliases: ['nickname'], kinds: ['chat'], context_length: 2048, percent: null }
  expect(await details(scene)).toMatchObject({
    id: host.keys.id,
    online: true,
    version: '0.1.7',
    accepting: true,
    reason: null,
    models: [{ ...loaded, state: 'loaded' }],
    remote: false,
    settings: null,
    commands: [],
  })
  const settings = { maxConcurrency: 2, schedule: [], whatever: { newer: 'agents say' } }
  host.send({ type: 'settings', remote: true, settings })
  const state = { id: model, state: 'loading' as const, percent: 40 }
  host.send({ type: 'status', freeSlots: 0, accepting: false, reason: 'on_battery', models: [state] })
  const told = { accepting: false, reason: 'on_battery', remote: true, settings }
  await expect
    .poll(() => details(scene))
    .toMatchObject({ ...told, models: [{ state: 'loading', percent: 40 }] })
  host.close()
  await host.closed
  await evictDurableObject(hostStub(env, host.keys.id))
  expect(await details(scene)).toMatchObject({ ...told, online: false, models: [{ state: 'loading' }] })
})

test('[H12] settings that are too large close with 4413, and change nothing', async () => {
  const scene = await newScene()
  const fits = { text: 'x'.repeat(16 * 1024 - 11) }
  scene.host.send({ type: 'settings', remote: false, settings: fits })
  await expect.poll(() => details(scene)).toMatchObject({ settings: fits })
  scene.host.send({ type: 'settings', remote: true, settings: { text: `${fits.text}x` } })
  expect((await scene.host.closed).code).toBe(CloseCode.TooLarge)
  expect(await details(scene)).toMatchObject({ remote: false, settings: fits })
})

test('[H9] `models` takes the place of what hello said, for Consumers and for the owner', async () => {
  const scene = await newScene()
  const next = `${scene.model}-next`
  scene.host.send({ type: 'models', models: [{ ...offer, id: next }] })
  const models = async () => {
    const list = await call('GET', '/v1/models', { token: scene.key.key })
    return (await list.json<{ data: { id: string }[] }>()).data.map(({ id }) => id)
  }
  await expect.poll(models).toContain(next)
  expect(await errorCode(await chat(scene))).toBe('no_host_available')
  // What directories know outlives their sleep.
  await evictDurableObject(directoryStub(env, 'public'))
  const answer = chat({ ...scene, model: next })
  await scene.host.serve(['changed'])
  expect((await answer).status).toBe(200)
  expect(await details(scene)).toMatchObject({ models: [{ id: next, state: 'loaded' }] })
  scene.host.send({ type: 'models', models: [] })
  await expect.poll(models).not.toContain(next)
})

test('[H9] more models than a directory shall remember close with 4413, whenever they come', async () => {
  const { host, owner } = await newScene()
  const capabilities = Array.from({ length: 64 }, () => 'x'.repeat(64))
  const models = Array.from({ length: 16 }, (_, index) => ({ ...offer, id: `m${index}`, capabilities }))
  host.send({ type: 'models', models })
  expect((await host.closed).code).toBe(CloseCode.TooLarge)
  const keys = await newHostKeys()
  await enrol(keys, (await newEnrolment(owner)).token)
  const { webSocket } = await upgrade(await proofOf(keys))
  const boastful = new TestHost(keys, webSocket!)
  boastful.send(hello({ models }))
  expect((await boastful.closed).code).toBe(CloseCode.TooLarge)
})

test('[H11] a model that failed to load is not asked for, and is again once it is loaded', async () => {
  const scene = await newScene()
  const say = (state: 'failed' | 'loaded') =>
    scene.host.send({
      type: 'status',
      freeSlots: 4,
      accepting: true,
      models: [{ id: scene.model, state }],
    })
  say('failed')
  await expect.poll(async () => errorCode(await chat(scene))).toBe('no_host_available')
  await evictDurableObject(directoryStub(env, 'public'))
  expect(await errorCode(await chat(scene))).toBe('no_host_available')
  say('loaded')
  const listed = async () => (await call('GET', `/v1/models/${scene.model}`, { token: scene.key.key })).status
  await expect.poll(listed).toBe(200)
  const answer = chat(scene)
  await scene.host.serve(['at last'])
  expect((await answer).status).toBe(200)
})

test('[H10] a Host serves only those of its Networks that its owner wants', async () => {
  const owner = await newAccount('owner')
  const network = await newNetwork(owner)
  const [everywhere, key] = [await newKey(owner, { networks: ['public', network] }), await newKey(owner)]
  const keys = await newHostKeys()
  await enrol(keys, (await newEnrolment(owner)).token)
  const join = `/api/hosts/${keys.id}/networks/${network}`
  expect((await call('PUT', join, { token: owner.token })).status).toBe(200)
  const model = 'narrowed'
  const host = await TestHost.connect(keys, { model, hello: { networks: [network, 'not-mine'] } })
  expect(host.welcome.networks).toEqual([network])
  expect(await errorCode(await chat({ key, model }))).toBe('no_host_available')
  const answer = chat({ key: everywhere, model })
  await host.serve(['private'])
  expect((await answer).status).toBe(200)
  // Whatever a directory says.
  const relay = {
    jobId: `job_${'0'.repeat(32)}`,
    sessionId: `ses_${'0'.repeat(16)}`,
    sessionName: 'none',
    network: 'public',
    promptBound: 1,
    maxTokens: 1,
  }
  const headers = { upgrade: 'websocket', [RELAY_REQUEST_HEADER]: JSON.stringify(relay) }
  expect((await hostStub(env, keys.id).fetch('https://host/relay', { headers })).status).toBe(503)
  // Being let into what is not wanted is no reason to connect again; nor does it become wanted.
  const other = await newNetwork(owner)
  await call('PUT', `/api/hosts/${keys.id}/networks/${other}`, { token: owner.token })
  const again = chat({ key: everywhere, model })
  await host.serve(['still here'])
  expect((await again).status).toBe(200)
  const none = await TestHost.connect(keys, { model, hello: { networks: [] } })
  expect(none.welcome.networks).toEqual([])
  expect(await errorCode(await chat({ key: everywhere, model }))).toBe('no_host_available')
})

test('[H13] Hosts are told the versions, and one that is too old is told what to do', async () => {
  const { host, owner } = await newScene()
  expect(host.welcome.agent).toEqual({ minimum: env.HOST_AGENT_MINIMUM, latest: env.HOST_AGENT_LATEST })
  const keys = await newHostKeys()
  await enrol(keys, (await newEnrolment(owner)).token)
  const { webSocket } = await upgrade(await proofOf(keys))
  const old = new TestHost(keys, webSocket!)
  old.send(hello({ agent: { name: 'daisi-host', version: '0.0.9' } }))
  const { code, reason } = await old.closed
  expect(code).toBe(CloseCode.VersionTooOld)
  expect(reason).toContain('0.0.9')
  expect(reason).toContain('npx daisi-host@latest')
})

test('[H1] a second hello closes with 4400', async () => {
  const host = await newHost((await newEnrolment(await newAccount('owner'))).token, { model: 'twice' })
  host.send(hello({}))
  expect((await host.closed).code).toBe(CloseCode.BadMessage)
})

function hello(over: Partial<Hello>) {
  return {
    type: 'hello' as const,
    protocol: { version: PROTOCOL_VERSION, minimum: PROTOCOL_VERSION },
    agent: { name: 'test-host', version: '0' },
    models: [],
    slots: { total: 1, free: 1, queue: 0 },
    accepting: true,
    running: [],
    ...over,
  }
}

test('[H9] of what Hosts serve, a directory sends no more than Consumers are shown', async () => {
  const { host, model } = await newScene({ offer: { aliases: ['nickname'], capabilities: ['x'.repeat(64)] } })
  const serving = await directoryStub(env, 'public').serving()
  expect(serving.find(({ hostId }) => hostId === host.keys.id)).toEqual({
    hostId: host.keys.id,
    models: [
      {
        id: model,
        contextLength: 2048,
        aliases: ['nickname'],
        kinds: ['chat'],
        capabilities: ['x'.repeat(64)],
        state: 'loaded',
      },
    ],
  })
})
