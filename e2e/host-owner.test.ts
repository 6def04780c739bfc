import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { CommandQueued } from '@daisi/protocol'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { manageApi } from '../orc-local/src/manage-api.ts'
import { errorCode, post } from './support/chat.ts'
import type { Host } from './support/host.ts'
import { hostCommand } from './support/host-command.ts'
import { type Consumer, type Network, startNetwork } from './support/network.ts'

let network: Network
beforeAll(async () => {
  network = await startNetwork()
})
afterAll(() => network?.stop())

/** Status of a short chat with a Host's model, and its code if it fails. */
async function ask(consumer: Consumer, { model }: Host, content = 'Hello'): Promise<unknown[]> {
  const body = { model, max_tokens: 5, messages: [{ role: 'user', content }] }
  const response = await post(network, consumer, body)
  return response.ok ? [200] : [response.status, await errorCode(response)]
}

test('[H5, H12] the owner pauses, declines prompts and limits the day, on this machine', async () => {
  await using host = await network.startedHost({ model: 'own-rules' })
  const command = (...args: string[]): ReturnType<typeof hostCommand> => hostCommand(host.stateDir, ...args)
  expect(await command('pause')).toMatchObject({ code: 0 })
  await expect.poll(() => ask(network.consumer, host)).toEqual([503, 'no_host_available'])
  expect((await command('status')).out).toContain('daisi-host resume')
  expect(await command('resume')).toMatchObject({ code: 0 })
  await expect.poll(() => ask(network.consumer, host)).toEqual([200])

  expect(await command('config', 'set', 'settings.blocklist', '["FORBIDDEN fruit"]')).toMatchObject({
    code: 0,
  })
  expect(await ask(network.consumer, host, 'Tell me of forbidden FRUIT.')).toEqual([503, 'no_host_available'])
  expect(await ask(network.consumer, host)).toEqual([200])
  const wrong = await command('config', 'set', 'settings.maxTokensPerDay', 'many')
  expect(wrong.code).not.toBe(0)
  expect(wrong.err).toContain('maxTokensPerDay')

  expect(await command('config', 'set', 'settings.maxTokensPerDay', '1')).toMatchObject({ code: 0 })
  await expect.poll(() => ask(network.consumer, host)).toEqual([503, 'no_host_available'])
  const { reason, today, problems } = await host.control.status()
  expect([reason, problems[0]?.code]).toEqual(['daily_limit', 'daily_limit'])
  expect(today.tokensForOthers).toBeGreaterThan(1)
})

test('[Q5, H12] settings from afar: by the owner, where the owner lets it', async () => {
  await using host = await network.startedHost({ model: 'from-afar' })
  const path = `/api/hosts/${host.hostId}`
  const owner = manageApi(network.url, network.owner.token)
  const send = (value: unknown): Promise<CommandQueued> =>
    owner.post<CommandQueued>(`${path}/commands`, { name: 'settings', arguments: value })
  interface View {
    readonly settings: Readonly<Record<string, unknown>> | null
    readonly commands: readonly { command_id: string; outcome: string; message?: string }[]
  }
  const outcome = async (id: string): Promise<unknown> => {
    const { commands } = await owner.get<View>(path)
    return commands.find(({ command_id }) => command_id === id)?.outcome
  }
  const stranger = manageApi(network.url, network.consumer.account.token)
  await expect(stranger.post(`${path}/commands`, { name: 'settings', arguments: {} })).rejects.toThrow()
  await expect(send({ maxConcurrency: 0 })).rejects.toThrow()

  const { command_id } = await send({ maxConcurrency: 2, onlyWhenIdle: null })
  await expect.poll(() => outcome(command_id)).toBe('done')
  await expect.poll(async () => (await owner.get<View>(path)).settings?.['maxConcurrency']).toBe(2)
  expect((await host.control.settings()).maxConcurrency).toBe(2)

  await hostCommand(host.stateDir, 'config', 'set', 'settings.remote.settings', 'false')
  const refused = await send({ maxConcurrency: 1 })
  await expect.poll(() => outcome(refused.command_id)).toBe('failed')
  expect((await host.control.settings()).maxConcurrency).toBe(2)
})

test('[T8] a job of its own owner is counted as such, and costs nothing', async () => {
  await using host = await network.startedHost({ model: 'my-own' })
  const own = await network.consumerOf(network.owner)
  expect(await ask(own, host)).toEqual([200])
  const { today } = await host.control.status()
  expect(today.ownTokens).toBeGreaterThan(0)
  expect(today.tokensForOthers).toBe(0)
})

test('a second agent of the same state folder says so and leaves the first alone', async () => {
  await using host = await network.startedHost({ model: 'first-come' })
  await using second = await network.startHost({ model: 'first-come', stateDir: host.stateDir })
  expect(await second.exited).toMatchObject({ code: 9 })
  expect(second.records.at(-1)).toMatchObject({ code: 'already_running' })
  expect(await ask(network.consumer, host)).toEqual([200])
})

test('a broken configuration is named, and doctor works with it', async () => {
  await using host = await network.startedHost({ model: 'mistyped' })
  await host.end('SIGTERM')
  await writeFile(join(host.stateDir, 'config.json'), '{"slots": "many"}')
  await using again = await network.startHost({ model: 'mistyped', stateDir: host.stateDir })
  expect(await again.exited).toMatchObject({ code: 3 })
  expect(again.records.at(-1)).toMatchObject({
    code: 'config_unusable',
    msg: expect.stringContaining('slots'),
  })
  const doctor = await hostCommand(host.stateDir, 'doctor')
  expect(doctor.code).toBe(12)
  expect(doctor.out).toContain('slots')
})
