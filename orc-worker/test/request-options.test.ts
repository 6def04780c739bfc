import type { Session } from '@daisi/protocol'
import { expect, test } from 'vitest'
import { newNetwork } from './support/networks.ts'
import { balanceOf, call, newEnrolment, settle } from './support/orc.ts'
import { type Scene, chat, errorCode, events, newScene } from './support/scene.ts'
import { TestHost, newHost, newHostKeys, enrol } from './support/test-host.ts'
import { hostAlias } from '../src/domain/alias.ts'

/** A second Host of the same model, that is asked later: it has fewer free slots. */
async function second({ owner, model }: Scene): Promise<TestHost> {
  return newHost((await newEnrolment(owner)).token, { model, slots: 1 })
}

test('[G3] a Host that is named is asked, one that is excluded is not, and the answer names who worked', async () => {
  const scene = await newScene()
  const other = await second(scene)
  const [first, later] = [await hostAlias(scene.host.keys.id), await hostAlias(other.keys.id)]
  const pinned = chat(scene, {}, { headers: { 'daisi-host': later } })
  await other.serve(['pinned'])
  expect((await pinned).headers.get('daisi-host')).toBe(later)
  const excluding = chat(scene, { daisi: { exclude_hosts: [first] } })
  await other.serve(['not the first'])
  expect((await excluding).headers.get('daisi-host')).toBe(later)
  const streamed = chat(scene, { stream: true, daisi: { host: first } })
  await scene.host.serve(['streamed'])
  const response = await streamed
  expect(response.headers.get('daisi-host')).toBe(first)
  expect(response.headers.get('access-control-expose-headers')).toMatch(/daisi-host/)
  expect(await events(response)).toContain('[DONE]')
})

test('[G3] a Host that is not there, or does not serve the model, is told apart from no other', async () => {
  const scene = await newScene()
  const elsewhere = await newScene()
  const answers = ['no-such-host', await hostAlias(elsewhere.host.keys.id)].map(async (host) => {
    const response = await chat(scene, {}, { headers: { 'daisi-host': host } })
    expect(response.headers.get('retry-after')).not.toBeNull()
    return [response.status, await errorCode(response)]
  })
  expect(await Promise.all(answers)).toEqual([
    [503, 'no_host_available'],
    [503, 'no_host_available'],
  ])
})

test('[G2] an option that is wrong is refused by name before anything is done', async () => {
  const scene = await newScene()
  const faults = [
    [{}, { 'daisi-wait': 'soon' }, 'Daisi-Wait'],
    [{}, { 'daisi-mode': 'direct' }, 'Daisi-Mode'],
    [{ daisi: { host: 'A HOST' } }, {}, 'daisi.host'],
    [{ daisi: { wait: 1 } }, { 'daisi-wait': '2' }, 'daisi.wait'],
  ] as const
  for (const [body, headers, param] of faults) {
    const response = await chat(scene, body, { headers })
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ error: { code: 'invalid_request', param } })
  }
})

test('[G1] Network and Session may be named in the body', async () => {
  const scene = await newScene()
  const opened = await call('POST', '/v1/sessions', { token: scene.key.key, body: { budget: 1_000 } })
  const { id } = await opened.json<Session>()
  const answer = chat(scene, { daisi: { session: id, network: 'public' } })
  await scene.host.serve(['in a Session'])
  expect((await answer).status).toBe(200)
  const session = await call('GET', `/v1/sessions/${id}`, { token: scene.key.key })
  expect(await session.json()).toMatchObject({ usage: { jobs: 1 } })
  const made = await chat(scene, { daisi: { session: 'ses_made_up' } })
  expect([made.status, await errorCode(made)]).toEqual([404, 'not_found'])
  const foreign = await newNetwork(scene.owner)
  const closed = await chat(scene, { daisi: { network: foreign } })
  expect([closed.status, await errorCode(closed)]).toEqual([403, 'network_not_allowed'])
})

test('[G4] who waits is served as soon as there is a Host, and pays once', async () => {
  const scene = await newScene()
  const keys = await newHostKeys()
  await enrol(keys, (await newEnrolment(scene.owner)).token)
  const host = await hostAlias(keys.id)
  const answer = chat(scene, {}, { headers: { 'daisi-wait': '60', 'daisi-host': host } })
  const late = await TestHost.connect(keys, { model: scene.model })
  await late.serve(['at last'])
  expect((await answer).headers.get('daisi-host')).toBe(host)
  await settle(scene.key.key)
  const { available, held } = await balanceOf(scene.consumer)
  expect(available + held).toBe(10_000 - 11)
})

test('[G4] a Host that is busy is asked again', async () => {
  const scene = await newScene()
  const answer = chat(scene, {}, { headers: { 'daisi-wait': '60' } })
  const { jobId } = await scene.host.receive('run')
  scene.host.send({ type: 'refused', jobId, code: 'busy', message: 'full' })
  await scene.host.serve(['now'])
  expect((await answer).status).toBe(200)
})

test('[G4] who waited in vain is told why, and nothing stays held', async () => {
  const scene = await newScene()
  // Enough for one request at a time.
  const opened = await call('POST', '/v1/sessions', { token: scene.key.key, body: { budget: 61 } })
  const { id: session } = await opened.json<Session>()
  const response = await chat(scene, { daisi: { host: 'no-such-host', wait: 2.5, session } })
  expect([response.status, await errorCode(response)]).toEqual([503, 'no_host_available'])
  const answer = chat(scene, { daisi: { wait: 60, session } })
  await scene.host.serve(['all is free again'])
  expect((await answer).status).toBe(200)
})

test('[G4] nothing is waited for that cannot change: what an owner declines, and what no Host can do', async () => {
  const scene = await newScene()
  const answer = chat(scene, {}, { headers: { 'daisi-wait': '60' } })
  const { jobId } = await scene.host.receive('run')
  scene.host.send({ type: 'refused', jobId, code: 'declined', message: 'no' })
  expect((await answer).status).toBe(503)
  const unable = await chat(scene, { seed: 1 }, { headers: { 'daisi-wait': '60' } })
  expect([unable.status, await errorCode(unable)]).toEqual([400, 'unsupported_parameter'])
})
