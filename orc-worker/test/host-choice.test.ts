import { encodeFrame } from '@daisi/protocol'
import { env } from 'cloudflare:workers'
import { decodeJwt } from 'jose'
import { expect, test } from 'vitest'
import { newDirectScene, openedDirect } from './support/direct.ts'
import { newEnrolment, newKey, settle } from './support/orc.ts'
import { chat, errorCode, events, newScene } from './support/scene.ts'
import { type HostHabits, type TestHost, newHost } from './support/test-host.ts'

/** What a Host says whose model is on its way. */
const LOADING = { code: 'model_loading', message: 'soon', percent: 40, retryAfterSeconds: 12 } as const

/** Another Host of the same owner and model, that is asked later: it has fewer free slots. */
async function second(
  { owner, model }: Awaited<ReturnType<typeof newScene>>,
  habits: HostHabits = {},
): Promise<TestHost> {
  return newHost((await newEnrolment(owner)).token, { model, slots: 1, ...habits })
}

async function refuse(
  host: TestHost,
  refusal: { code: 'model_loading' | 'declined' | 'busy'; message: string; percent?: number },
): Promise<void> {
  const { jobId } = await host.receive('run')
  host.send({ type: 'refused', jobId, ...refusal })
}

test('[H9] an alias is as good as an id, and the Host is given the id', async () => {
  const scene = await newScene({ offer: { id: 'maker/model:7b', aliases: ['seven', 'small'] } })
  const answer = chat({ key: scene.key, model: 'seven' })
  const run = await scene.host.serve(['known'])
  expect(run.model).toMatchObject({ id: 'maker/model:7b' })
  expect(await (await answer).json()).toMatchObject({ model: 'seven' })
})

test('work is counted under the name that was asked for, whatever its Host calls the model', async () => {
  const scene = await newScene({ offer: { id: 'name-of-its-own', aliases: ['popular'] } })
  const answer = chat({ key: scene.key, model: 'popular' })
  const run = await scene.host.serve(['counted'])
  expect(run.model).toMatchObject({ id: 'name-of-its-own' })
  expect((await answer).status).toBe(200)
  await settle(scene.key.key)
  const { results } = await env.DB.prepare('SELECT model FROM work_hourly WHERE host_id = ?')
    .bind(scene.host.keys.id)
    .all()
  expect(results).toEqual([{ model: 'popular' }])
})

test('[H11] a Host that has the model loaded is asked before one with more free slots that has not', async () => {
  const scene = await newScene()
  const state = { id: scene.model, state: 'unloaded' as const }
  scene.host.send({ type: 'status', freeSlots: 4, accepting: true, models: [state] })
  const ready = await second(scene)
  const answer = chat(scene)
  await ready.serve(['at once'])
  expect((await answer).status).toBe(200)
})

test('[J9] a model that is being loaded moves the request to another Host', async () => {
  const scene = await newScene()
  const other = await second(scene)
  const answer = chat(scene)
  await refuse(scene.host, LOADING)
  await other.serve(['loaded here'])
  expect((await answer).status).toBe(200)
})

test('[J9] where no Host has loaded the model, the Consumer learns how far the first of them is', async () => {
  const scene = await newScene()
  const other = await second(scene)
  const answer = chat(scene)
  await refuse(scene.host, LOADING)
  await refuse(other, { ...LOADING, percent: 70, message: 'sooner' })
  const response = await answer
  expect(response.status).toBe(503)
  expect(response.headers.get('retry-after')).toBe('12')
  expect(response.headers.get('daisi-model-percent')).toBe('70')
  const { error } = await response.json<{ error: { code: string; message: string } }>()
  expect(error.code).toBe('model_loading')
  expect(error.message).toContain('70 %')
})

test('[J9] a Host that cannot tell how far it is says so too, also to a stream', async () => {
  const scene = await newScene()
  const answer = chat(scene, { stream: true })
  await refuse(scene.host, { code: 'model_loading', message: 'who knows' })
  const response = await answer
  expect([response.status, await errorCode(response)]).toEqual([503, 'model_loading'])
  expect(response.headers.get('retry-after')).toBe('5')
  expect(response.headers.get('daisi-model-percent')).toBeNull()
})

test.for([
  ['declined', 'declined', 'no_host_available'],
  ['declined', 'model_loading', 'model_loading'],
  ['model_loading', 'busy', 'all_hosts_busy'],
] as const)('[J9] %s here and %s there is %s', async ([here, there, told]) => {
  const scene = await newScene()
  const other = await second(scene)
  const answer = chat(scene)
  await refuse(scene.host, { code: here, message: 'no' })
  await refuse(other, { code: there, message: 'no' })
  const response = await answer
  expect([response.status, await errorCode(response)]).toEqual([503, told])
  expect(response.headers.has('retry-after')).toBe(true)
})

test('[J9] a prompt that one owner declines is done by another', async () => {
  const scene = await newScene()
  const other = await second(scene)
  const answer = chat(scene)
  await refuse(scene.host, { code: 'declined', message: 'not here' })
  await other.serve(['gladly'])
  expect((await answer).status).toBe(200)
})

test('[A9] what a Consumer asks for reaches a Host that can do it, and nothing that it did not ask for', async () => {
  const scene = await newScene()
  const able = await second(scene, { offer: { capabilities: ['min-p', 'seed', 'penalties'] } })
  const answer = chat(scene, { min_p: 0.1, seed: 3, frequency_penalty: 0.5, temperature: null })
  const run = await able.serve(['as asked'])
  expect((await answer).status).toBe(200)
  const sampling = { minP: 0.1, seed: 3, frequencyPenalty: 0.5, maxTokens: 20, stop: [] }
  expect(run.payload).toMatchObject({ sampling })
  expect(Object.keys((run.payload as { sampling: object }).sampling).toSorted()).toEqual(
    Object.keys(sampling).toSorted(),
  )
})

test('[A9] what no Host can honour is refused by name, and nothing is asked of any', async () => {
  const scene = await newScene({ offer: { capabilities: ['seed'] } })
  const response = await chat(scene, { seed: 1, min_p: 0.1, repetition_penalty: 1.1 })
  expect(response.status).toBe(400)
  const { error } = await response.json<{ error: Record<string, string> }>()
  expect(error).toMatchObject({ code: 'unsupported_parameter', param: 'min_p' })
  expect(error['message']).toMatch(/`min_p`, `repetition_penalty`/)
  const answer = chat(scene, { frequency_penalty: 0, presence_penalty: 0, logit_bias: {} })
  await scene.host.serve(['what all clients send'])
  expect((await answer).status).toBe(200)
})

test('[T8] a token says so where the Host is of the Consumer’s own account, and nothing elsewhere', async () => {
  const scene = await newScene()
  const mine = await newKey(scene.owner)
  const own = chat({ key: mine, model: scene.model })
  const run = await scene.host.serve(['free'])
  expect((await own).status).toBe(200)
  expect(decodeJwt(run.sessionToken)).toMatchObject({ own: true })
  const foreign = chat(scene)
  const paid = await scene.host.serve(['paid'])
  expect((await foreign).status).toBe(200)
  expect(decodeJwt(paid.sessionToken)).not.toHaveProperty('own')
  // Its slots do not change whose it is.
  scene.host.send({ type: 'status', freeSlots: 0, accepting: true })
  const busy = chat({ key: mine, model: scene.model })
  expect(decodeJwt((await scene.host.serve(['free again'])).sessionToken)).toMatchObject({ own: true })
  expect((await busy).status).toBe(200)
  const direct = await newDirectScene()
  expect(decodeJwt((await openedDirect(direct)).grant.token)).not.toHaveProperty('own')
  const key = await newKey(direct.owner)
  expect(decodeJwt((await openedDirect({ ...direct, key })).grant.token)).toMatchObject({ own: true })
})

test('[F2] tokens whose ids the Host cannot know count all the same', async () => {
  const scene = await newScene()
  const answer = chat(scene, { stream: true, stream_options: { include_usage: true } })
  const run = await scene.host.receive('run')
  scene.host.accept(run)
  scene.host.sendRaw(
    encodeFrame({
      kind: 'text',
      jobId: run.jobId,
      sequence: 0,
      tokenCount: 3,
      tokenIds: [],
      text: 'one two',
    }),
  )
  await scene.host.end(run, { promptTokens: 10, cachedTokens: 0, generatedTokens: 3 })
  const seen = await events(await answer)
  expect(seen).toContainEqual(
    expect.objectContaining({ usage: expect.objectContaining({ completion_tokens: 3 }) }),
  )
})
