import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { agentConfig, agentConfigPath, readAgentConfig, writeAgentConfig } from './agent-config.ts'
import { getPath, setPath, unsetPath } from './config-keys.ts'

const defaults = agentConfig.parse({})
let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'daisi-config-'))
})
afterEach(() => rm(folder, { recursive: true }))

test('without a file everything has its default', async () => {
  const config = await readAgentConfig(folder)
  expect(config).toEqual(defaults)
  expect(config.settings).toMatchObject({ paused: false, remote: { settings: true, models: false } })
})

test('a file holds what differs, for its owner only, and is read again', async () => {
  const config = agentConfig.parse({
    orcs: [{ url: 'https://orc.example/', pin: 'AB'.repeat(32) }],
    direct: { listen: '[::]:8790' },
    settings: { paused: true, remote: { models: true } },
  })
  expect(config.orcs[0]).toEqual({
    url: 'https://orc.example',
    pin: `sha256:${'ab'.repeat(32)}`,
    insecure: false,
  })
  await writeAgentConfig(folder, config)
  expect(await readAgentConfig(folder)).toEqual(config)
  expect((await stat(agentConfigPath(folder))).mode & 0o777).toBe(0o600)
  const written = JSON.parse(await readFile(agentConfigPath(folder), 'utf8')) as unknown
  expect(written).toMatchObject({ settings: { paused: true, remote: { models: true } } })
  expect(Object.keys(written as object).toSorted()).toEqual(['direct', 'orcs', 'settings'])
})

test.each([
  ['{"slots":4,\n"queue":', ['line 2']],
  ['{"slots":4,\n"queue" 5}', ['line 2']],
  ['{"slots":4,\n"queue":x}', ['no JSON']],
  [JSON.stringify({ servers: Array.from({ length: 33 }, () => 'ollama') }), ['servers', '32 entries']],
  ['{"slotz":4}', ['slotz', 'slots']],
  ['{"slots":0}', ['slots', '1 to 1024']],
  ['{"slots":null}', ['slots', 'whole number']],
  ['{"settings":{"schedule":[{"days":["mon"],"from":"8:00","to":"09:00"}]}}', ['settings.schedule.0.from']],
  ['{"settings":{"remote":{"all":true}}}', ['settings.remote.all', 'models']],
  ['{"orcs":[{"url":"ftp://orc.example"}]}', ['orcs.0.url', 'https://']],
  ['{"orcs":[{"url":"https://orc.example","pin":"abc"}]}', ['orcs.0.pin', 'sha256:']],
  ['{"orcs":[{"url":"https://a.example"},{"url":"https://a.example/"}]}', ['orcs', 'twice']],
  ['{"direct":{}}', ['direct.listen', 'port']],
  ['{"direct":{"listen":"0.0.0.0:70000"}}', ['direct.listen', 'port']],
  ['[]', ['configuration']],
])('%s is refused with its place, and stays as it is', async (text, words) => {
  await writeFile(agentConfigPath(folder), text)
  const error = await readAgentConfig(folder).catch((error: unknown) => error)
  expect(error).toMatchObject({ code: 'config_unusable', exitCode: 3 })
  for (const word of words) expect((error as Error).message).toContain(word)
  expect(await readFile(agentConfigPath(folder), 'utf8')).toBe(text)
})

test('what is written wrongly in a file is not quoted', async () => {
  await writeFile(agentConfigPath(folder), '{"servers": ["vllm=http://key@host", secret}')
  const broken = await readAgentConfig(folder).catch((error: unknown) => error)
  expect((broken as Error).message).not.toMatch(/key|secret/)
  await writeFile(agentConfigPath(folder), '{"servers": "secret"}')
  const wrong = await readAgentConfig(folder).catch((error: unknown) => error)
  expect((wrong as Error).message).toMatch(/servers must be a list/)
  expect((wrong as Error).message).not.toContain('secret')
})

test.each([
  ['slots', '8', 'slots', 8],
  ['name', '12', 'name', '12'],
  ['gpu', 'false', 'gpu', false],
  ['contextLength', 'null', 'contextLength', null],
  ['servers', 'ollama, vllm=http://127.0.0.1:8000', 'servers', ['ollama', 'vllm=http://127.0.0.1:8000']],
  ['settings.maxTokensPerDay', '100000', 'settings.maxTokensPerDay', 100_000],
  ['networks', 'home', 'settings.networks', ['home']],
  ['networks', '["home","work"]', 'settings.networks', ['home', 'work']],
  ['remote.models', 'true', 'settings.remote.models', true],
  ['orcs.0.url', 'http://localhost:1/', 'orcs.0.url', 'http://localhost:1'],
  ['direct.listen', '127.0.0.1:8790', 'direct.listen', '127.0.0.1:8790'],
])('%s takes %s', (key, text, whole, value) => {
  const changed = setPath(defaults, key, text)
  if (!changed.ok) throw new Error(changed.message)
  expect(changed.value.key).toBe(whole)
  expect(getPath(changed.value.config, key)).toEqual({ ok: true, value })
  expect(changed.value.setting).toBe(whole.startsWith('settings.') ? whole.split('.')[1] : undefined)
})

test('a rule that was not there begins with one that asks for nothing', () => {
  const changed = setPath(defaults, 'onlyWhenIdle.noInputMinutes', '10')
  expect(changed).toMatchObject({
    ok: true,
    value: {
      setting: 'onlyWhenIdle',
      config: { settings: { onlyWhenIdle: { noInputMinutes: 10, onPower: false, gpuBelowPercent: 100 } } },
    },
  })
})

test.each([
  ['slots', 'many', 'invalid_value', 'whole number from 1 to 1024'],
  ['ownJobsFirst', 'yes', 'invalid_value', 'true or false'],
  ['settings.schedule', '[{"days":["sunday"],"from":"08:00","to":"09:00"}]', 'invalid_value', 'sun'],
  ['direct.url', 'https://me.example', 'invalid_value', 'direct.listen'],
  ['orcs.3.url', 'https://orc.example', 'invalid_value', 'orcs.3'],
  ['slotz', '3', 'unknown_key', 'slots'],
  ['settings.pause', 'true', 'unknown_key', 'settings.paused'],
  ['__proto__.polluted', 'true', 'unknown_key', 'slots'],
  ['', '1', 'unknown_key', 'slots'],
])('%s does not take %s', (key, text, code, word) => {
  const result = setPath(defaults, key, text)
  expect(result).toMatchObject({ ok: false, code })
  expect((result as { message: string }).message).toContain(word)
  expect(Object.prototype).not.toHaveProperty('polluted')
})

test('unset goes back to the default', () => {
  const changed = setPath(defaults, 'maxTokensPerDay', '5')
  if (!changed.ok) throw new Error(changed.message)
  expect(unsetPath(changed.value.config, 'maxTokensPerDay')).toMatchObject({
    ok: true,
    value: { config: defaults },
  })
})
