import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import OpenAI from 'openai'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { inspectModel } from '../host-agent/src/engine/llama/inspect.ts'
import { descendants } from './support/processes.ts'
import { bringsText, errorCode, post, readStream } from './support/chat.ts'
import { hostCommand } from './support/host-command.ts'
import { type Network, startNetwork } from './support/network.ts'
import { NANO_MODEL } from './support/paths.ts'
import { slowModel } from './support/slow-model.ts'

let network: Network
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'daisi-models-'))
  network = await startNetwork()
})
afterAll(async () => {
  await network?.stop()
  await rm(folder, { recursive: true, force: true })
})

/** Megabytes for one of the test's models, and not for two. */
async function roomForOne(): Promise<string> {
  const facts = await inspectModel({ modelPath: NANO_MODEL, slots: 4, gpu: false })
  return `${Math.ceil((facts.memoryBytes * 1.5) / 1024 / 1024)}MB`
}

test('[H9, H11, J9] two added models, memory for one: loaded on demand, 503 meanwhile, clients just wait', async () => {
  const stateDir = join(folder, 'two')
  for (const [id, ...more] of [['first'], ['second', '--alias', 'number-two']] as const) {
    const added = await hostCommand(stateDir, 'models', 'add', NANO_MODEL, '--id', id, ...more)
    expect(added, added.err).toMatchObject({ code: 0, out: expect.stringContaining(`Added ${id}`) })
  }
  const token = await network.enrolmentToken()
  const args = ['--memory', await roomForOne(), '--residence', '0']
  await using host = await network.startedHost({ stateDir, modelPath: null, args, enrolmentToken: token })
  const states = async (): Promise<unknown[]> =>
    (await host.control.status()).models.map(({ id, state }) => [id, state])
  await expect.poll(states).toEqual([
    ['first', 'loaded'],
    ['second', 'unloaded'],
  ])
  const waiting = await post(network, network.consumer, { model: 'number-two' })
  expect([waiting.status, await errorCode(waiting)]).toEqual([503, 'model_loading'])
  expect(Number(waiting.headers.get('retry-after'))).toBeGreaterThan(0)
  expect(Number(waiting.headers.get('daisi-model-percent'))).toBeLessThanOrEqual(100)
  const patient = new OpenAI({
    baseURL: `${network.url}/v1`,
    apiKey: network.consumer.key.key,
    maxRetries: 10,
  })
  const ask = async (model: string): Promise<string | null | undefined> => {
    const messages = [{ role: 'user' as const, content: 'Hello' }]
    const answer = await patient.chat.completions.create({ model, messages, temperature: 0 })
    return answer.choices[0]?.message.content
  }
  const hello = await ask('number-two')
  expect(await states()).toEqual([
    ['first', 'unloaded'],
    ['second', 'loaded'],
  ])
  expect(await ask('first')).toBe(hello)
  // Taken away while it serves: the Orc hears of it, and nobody else is offered it.
  const removed = await hostCommand(stateDir, 'models', 'remove', 'second')
  expect(removed, removed.err).toMatchObject({ code: 0 })
  await expect
    .poll(async () => (await patient.models.list()).data.map(({ id }) => id).toSorted())
    .toEqual(['first'])
})

test('an engine that is killed ends its own job only, and comes back', async () => {
  const slow = await slowModel()
  const args = ['--model', NANO_MODEL, '--model-id', 'lively']
  await using host = await network.startedHost({ modelPath: slow, model: 'fragile', args })
  const [fragile = 0, lively = 0] = await descendants(host.pid)
  expect(lively).toBeGreaterThan(0)
  const body = { stream: true, max_tokens: 3_000 }
  const stream = readStream(await post(network, network.consumer, { model: 'fragile', ...body }))
  for await (const event of stream) if (bringsText(event)) break
  const cut = await post(network, network.consumer, { model: 'fragile', ...body })
  process.kill(fragile, 'SIGKILL')
  const events = []
  for await (const event of readStream(cut)) events.push(event)
  expect(events.at(-1)).toMatchObject({ error: { code: 'host_failed' } })
  const other = await post(network, network.consumer, { model: 'lively' })
  expect(other.status).toBe(200)
  await expect
    .poll(async () => (await host.control.status()).models.map(({ state }) => state), { timeout: 20_000 })
    .toEqual(['loaded', 'loaded'])
  const again = await post(network, network.consumer, { model: 'fragile', max_tokens: 5 })
  expect(again.status).toBe(200)
  expect((await descendants(host.pid)).includes(lively)).toBe(true)
})
