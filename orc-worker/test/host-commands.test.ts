import { env } from 'cloudflare:workers'
import type { AccountCreated, HostDetails, TransferOffered } from '@daisi/protocol'
import { expect, test } from 'vitest'
import { person } from './authorisation/world.ts'
import { hostStub } from '../src/objects/stubs.ts'
import { call, newAccount, operatorAccount } from './support/orc.ts'
import { type Scene, newScene } from './support/scene.ts'
import { refusal } from './support/team.ts'
import { TestHost } from './support/test-host.ts'

const FILE = 'c'.repeat(64)

function order({ host, owner }: Pick<Scene, 'host' | 'owner'>, body: unknown): Promise<Response> {
  return call('POST', `/api/hosts/${host.keys.id}/commands`, { token: owner.token, body })
}

async function commandsOf(host: TestHost, account: AccountCreated): Promise<HostDetails['commands']> {
  const response = await call('GET', `/api/hosts/${host.keys.id}`, { token: account.token })
  return (await response.json<HostDetails>()).commands
}

/** Puts a model into the Orc's catalogue. */
async function catalogued(id: string): Promise<void> {
  const { token } = await operatorAccount()
  const body = {
    name: id,
    sha256: FILE,
    sizeBytes: 3,
    url: 'https://models.example/nano.gguf',
    contextLength: 2_048,
    licence: 'MIT',
    kinds: ['chat'],
  }
  const response = await call('PUT', `/api/catalogue/${id}`, { token, body })
  expect(response.status).toBe(200)
}

test('[Q5] settings reach the Host as they were given, and its owner sees what came of them', async () => {
  const scene = await newScene()
  const settings = { maxTokensPerDay: 5_000, schedule: [{ days: ['mon'], from: '22:00', to: '06:00' }] }
  expect((await order(scene, { name: 'settings', arguments: settings })).status).toBe(202)
  const command = await scene.host.receive('command')
  expect(command).toMatchObject({ name: 'settings', sequence: 1, arguments: settings })
  expect((await order(scene, { name: 'pause' })).status).toBe(202)
  const pause = await scene.host.receive('command')
  expect(pause.arguments).toEqual({})
  const { commandId } = command
  expect(await commandsOf(scene.host, scene.owner)).toMatchObject([
    { command_id: pause.commandId, name: 'pause', outcome: 'queued', message: null },
    { command_id: commandId, name: 'settings', outcome: 'queued' },
  ])
  scene.host.send({ type: 'ack', commandId, outcome: 'failed', message: 'only from here' })
  scene.host.send({ type: 'ack', commandId, outcome: 'done' })
  await expect
    .poll(() => commandsOf(scene.host, scene.owner))
    .toMatchObject([{ outcome: 'queued' }, { outcome: 'failed', message: 'only from here' }])
})

test.for<[string, unknown, string]>([
  ['an unknown command', { name: 'explode' }, 'name'],
  ['an argument that the command does not have', { name: 'pause', arguments: { for: 1 } }, 'arguments'],
  ['an unknown setting', { name: 'settings', arguments: { sudo: true } }, 'arguments'],
  [
    'a setting out of range',
    { name: 'settings', arguments: { maxConcurrency: 0 } },
    'arguments.maxConcurrency',
  ],
  ['settings that are none', { name: 'settings', arguments: 'all' }, 'arguments'],
  [
    'oversized settings',
    { name: 'settings', arguments: { networks: Array.from({ length: 65 }, (_, index) => `n${index}`) } },
    'arguments.networks',
  ],
  ['a model without its file', { name: 'model-add', arguments: { id: 'm' } }, 'arguments.sha256'],
  [
    'an address of a file',
    { name: 'model-add', arguments: { id: 'm', sha256: FILE, url: 'https://evil.example/m' } },
    'arguments',
  ],
  ['nothing to remove', { name: 'model-remove' }, 'arguments.id'],
])('[Q5] %s is refused and not queued', async ([, body, param]) => {
  const scene = await newScene()
  const response = await order(scene, body)
  expect(response.status).toBe(400)
  expect(await response.json()).toMatchObject({ error: { code: 'invalid_request', param } })
  expect(await commandsOf(scene.host, scene.owner)).toEqual([])
})

test('[Q6] a Host is told to add models of the catalogue only, with the very file', async () => {
  const scene = await newScene()
  const add = (id: string, sha256 = FILE) => order(scene, { name: 'model-add', arguments: { id, sha256 } })
  await catalogued('listed')
  expect(await refusal(await add('unlisted'))).toEqual([400, 'invalid_request'])
  expect(await refusal(await add('listed', 'd'.repeat(64)))).toEqual([400, 'invalid_request'])
  expect((await add('listed')).status).toBe(202)
  expect(await scene.host.receive('command')).toMatchObject({
    name: 'model-add',
    arguments: { id: 'listed', sha256: FILE },
  })
})

test('[Q5] settings and models take an owner, pausing a member', async () => {
  const { host, owner } = await newScene()
  const admin = await person(owner, 'admin')
  const send = (body: unknown): Promise<Response> => {
    const headers = { cookie: admin.cookie, origin: 'https://orc.test' }
    return call('POST', `/api/hosts/${host.keys.id}/commands`, { headers, body })
  }
  for (const body of [
    { name: 'settings', arguments: {} },
    { name: 'model-add', arguments: { id: 'm', sha256: FILE } },
    { name: 'model-remove', arguments: { id: 'm' } },
  ])
    expect(await refusal(await send(body))).toEqual([403, 'forbidden'])
  expect((await send({ name: 'pause' })).status).toBe(202)
})

test('[Q5] a hundred commands wait for a Host and no more; the last fifty answers are kept', async () => {
  const scene = await newScene()
  const stub = hostStub(env, scene.host.keys.id)
  const generation = await stub.rightsGeneration()
  const queue = () => stub.enqueue({ name: 'resume', arguments: {} }, generation)
  for (let number = 0; number < 100; number++) await queue()
  expect(await queue()).toBe('full')
  expect(await refusal(await order(scene, { name: 'pause' }))).toEqual([409, 'conflict'])
  for (let number = 0; number < 60; number++) {
    const { commandId } = await scene.host.receive('command')
    scene.host.send({ type: 'ack', commandId, outcome: 'done' })
  }
  const outcomes = async () => (await commandsOf(scene.host, scene.owner)).map(({ outcome }) => outcome)
  await expect.poll(async () => (await outcomes()).filter((outcome) => outcome === 'queued')).toHaveLength(40)
  expect((await outcomes()).filter((outcome) => outcome === 'done')).toHaveLength(50)
  expect((await order(scene, { name: 'pause' })).status).toBe(202)
})

test('[N6] a new owner finds neither commands nor settings of the one before', async () => {
  const scene = await newScene()
  scene.host.send({ type: 'settings', remote: true, settings: { maxTokensPerDay: 1 } })
  expect((await order(scene, { name: 'model-remove', arguments: { id: 'm' } })).status).toBe(202)
  const stub = hostStub(env, scene.host.keys.id)
  const generation = await stub.rightsGeneration()
  const path = `/api/hosts/${scene.host.keys.id}`
  const offered = await call('POST', `${path}/transfer`, { token: scene.owner.token })
  const { token } = await offered.json<TransferOffered>()
  const heir = await newAccount('heir')
  expect(
    (await call('POST', '/api/host-transfers/accept', { token: heir.token, body: { token } })).status,
  ).toBe(200)
  // A command of the former owner that was on its way meanwhile.
  expect(await stub.enqueue({ name: 'pause', arguments: {} }, generation)).toBe('changed')
  const seen = await call('GET', path, { token: heir.token })
  expect(await seen.json()).toMatchObject({ settings: null, models: [], commands: [] })
  expect((await call('GET', path, { token: scene.owner.token })).status).toBe(404)
  const back = await TestHost.connect(scene.host.keys, { model: scene.model })
  expect((await order({ host: back, owner: heir }, { name: 'pause' })).status).toBe(202)
  expect((await back.receive('command')).name).toBe('pause')
})
