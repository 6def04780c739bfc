import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command } from 'commander'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ControlServer } from '../control/control-server.ts'
import type { ListedModel } from '../control/control-wire.ts'
import { createLogger } from '../log.ts'
import { MODEL_PATH } from '../testing/model.ts'
import { RecordedOutput } from '../testing/recorded-output.ts'
import { idleStatus, ScriptedTarget } from '../testing/scripted-target.ts'
import type { CommandOutput } from '../terminal/command-output.ts'
import { configCommand } from './config.ts'
import { modelsCommand } from './models.ts'
import { drainCommand, pauseCommand, resumeCommand } from './pause.ts'
import { statusCommand } from './status.ts'

let folder: string
let target: ScriptedTarget
let server: ControlServer | undefined
let output: RecordedOutput
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'daisi-commands-'))
  target = new ScriptedTarget()
  output = new RecordedOutput()
})
afterEach(async () => {
  await server?.close()
  server = undefined
  await rm(folder, { recursive: true, force: true })
})

async function startAgent(): Promise<void> {
  server = await ControlServer.open(folder, target, createLogger('silent', 'json'))
}

/** Runs a command with this test's state folder; returns what it wrote. */
async function run(make: (output: CommandOutput) => Command, ...args: readonly string[]): Promise<string> {
  output = new RecordedOutput()
  // Subcommands take the option themselves.
  await make(output).parseAsync([...args, '--state', folder], { from: 'user' })
  return output.written
}

test.each([statusCommand, pauseCommand, resumeCommand, drainCommand])(
  'without an agent a command says so',
  async (make) => {
    await expect(run(make)).rejects.toMatchObject({ code: 'not_running', exitCode: 10 })
  },
)

describe('status', () => {
  test('shows people all that is known, and why there is no work', async () => {
    await startAgent()
    target.state = idleStatus({
      reason: 'daily_limit',
      slots: { total: 4, free: 2, waiting: 1, queue: 16 },
      today: { jobs: 12, failedJobs: 1, tokensForOthers: 34_567, ownTokens: 0 },
      problems: [{ code: 'daily_limit', message: 'raise it\u001B[2J' }],
    })
    const text = await run(statusCommand)
    for (const part of [
      'quiet-fox',
      'daisi-nano',
      '3.0 MB',
      '2 of 4',
      '1 waiting',
      '34,567',
      'no work (daily_limit)',
    ])
      expect(text).toContain(part)
    expect(text).toContain('raise it?[2J (daily_limit)')
    expect(output.exitCode).toBe(0)
  })

  test('tells scripts by its exit code that no Orc is connected', async () => {
    await startAgent()
    target.state = idleStatus({
      orcs: [{ url: 'https://orc.test', state: 'waiting', networks: [], problem: 'no answer' }],
    })
    expect(JSON.parse(await run(statusCommand, '--json'))).toEqual(target.state)
    expect(output.exitCode).toBe(11)
    expect(await run(statusCommand)).toMatch(/waiting +no answer/)
  })
})

test('pause and resume reach the agent', async () => {
  await startAgent()
  expect(await run(pauseCommand)).toContain('no job runs')
  expect(target.state.reason).toBe('paused')
  await run(resumeCommand)
  expect(target.calls).toEqual(['pause', 'resume'])
})

test('drain waits for the last job', async () => {
  await startAgent()
  const busy = (free: number) => idleStatus({ slots: { total: 4, free, waiting: 0, queue: 16 } })
  target.state = busy(2)
  output = new RecordedOutput()
  const draining = drainCommand(output).parseAsync(['--state', folder], { from: 'user' })
  await new Promise<void>((resolve) => {
    output.onWrite = () => output.notes.includes('2 jobs') && resolve()
  })
  expect(target.calls).toEqual(['drain'])
  target.emit({ type: 'status', status: busy(3) })
  target.emit({ type: 'status', status: busy(4) })
  await draining
  expect(output.notes).toContain('1 job to finish')
  expect(await run(drainCommand, '--no-wait')).toContain('Draining')
})

test('drain --stop ends with the agent', async () => {
  await startAgent()
  target.stop = async () => {
    target.calls.push('stop')
    setImmediate(() => void server?.close())
  }
  expect(await run(drainCommand, '--stop')).toContain('stopped')
  expect(target.calls).toEqual(['stop'])
})

describe('config', () => {
  test('without an agent changes the file', async () => {
    expect(await run(configCommand, 'set', 'maxConcurrency', '2')).toBe('settings.maxConcurrency = 2\n')
    await run(configCommand, 'set', 'slots', '8')
    const path = (await run(configCommand, 'path')).trim()
    expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({ slots: 8, settings: { maxConcurrency: 2 } })
    expect(await run(configCommand, 'get', 'slots')).toBe('8\n')
    expect(await run(configCommand, 'list')).toContain('settings.maxConcurrency = 2\n')
    expect(JSON.parse(await run(configCommand, 'list', '--json'))).toMatchObject({ slots: 8 })
    expect(await run(configCommand, 'unset', 'maxConcurrency')).toBe('settings.maxConcurrency = null\n')
    expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({ slots: 8 })
  })

  test('with an agent changes its settings at once, and leaves the rest for its next start', async () => {
    await startAgent()
    target.wishes = { ...target.wishes, maxConcurrency: 3 }
    expect(await run(configCommand, 'get', 'maxConcurrency')).toBe('3\n')
    await run(configCommand, 'set', 'remote.models', 'true')
    expect(target.wishes).toMatchObject({ maxConcurrency: 3, remote: { settings: true, models: true } })
    expect(output.notes).toBe('')
    await run(configCommand, 'set', 'slots', '8')
    expect(output.notes).toContain('started again')
    await run(configCommand, 'unset', 'maxConcurrency')
    expect(target.wishes.maxConcurrency).toBeNull()
  })

  test.each([
    ['an unknown key', ['set', 'speed', '9'], 'unknown_key'],
    ['a wrong value', ['set', 'slots', '-1'], 'invalid_value'],
    ['an unknown key to read', ['get', 'speed'], 'unknown_key'],
  ])('refuses %s', async (_, args, code) => {
    await expect(run(configCommand, ...args)).rejects.toMatchObject({ code, exitCode: 2 })
  })

  test('a broken file is told, and stays as it is', async () => {
    await writeFile(join(folder, 'config.json'), '{')
    await expect(run(configCommand, 'set', 'slots', '8')).rejects.toMatchObject({
      code: 'config_unusable',
      exitCode: 3,
    })
    expect(await readFile(join(folder, 'config.json'), 'utf8')).toBe('{')
  })
})

describe('models', () => {
  test('without an agent, the store is changed', async () => {
    const path = join(folder, 'nano.gguf')
    await copyFile(MODEL_PATH, path)
    expect(await run(modelsCommand, 'list')).toContain('models add')
    expect(await run(modelsCommand, 'add', path, '--id', 'nano', '--alias', 'small', '--alias', 'tiny')).toBe(
      'Added nano\n',
    )
    const [listed] = JSON.parse(await run(modelsCommand, 'list', '--json')) as ListedModel[]
    expect(listed).toMatchObject({ id: 'nano', aliases: ['small', 'tiny'], from: path })
    expect(await run(modelsCommand, 'list')).toContain(listed?.sha256?.slice(0, 12))
    const wrong = run(modelsCommand, 'add', path, '--id', 'other', '--sha256', 'f'.repeat(64))
    await expect(wrong).rejects.toMatchObject({ code: 'hash_mismatch', exitCode: 4 })
    await run(modelsCommand, 'remove', 'nano')
    // A file that was not downloaded is its owner's.
    expect((await readFile(path)).length).toBeGreaterThan(0)
    await expect(run(modelsCommand, 'remove', 'nano')).rejects.toMatchObject({ code: 'unknown_model' })
    await expect(run(modelsCommand, 'add', 'ftp://x')).rejects.toMatchObject({ code: 'bad_reference' })
  })

  test('with an agent, the agent is asked', async () => {
    await startAgent()
    target.download = async (onProgress) => {
      for (const bytes of [0, 5, 10, 50, 100])
        onProgress({ phase: 'downloading', bytes, totalBytes: 100, bytesPerSecond: 5, etaSeconds: 62 })
    }
    await run(modelsCommand, 'add', 'hf:user/repo:q4', '--id', 'a')
    expect(output.notes.split('\n')).toHaveLength(5)
    expect(output.notes).toContain('downloading 50 %, 50 B of 100 B, 5 B/s, 1 min 2 s left')
    await mkdir(join(folder, 'm'))
    await writeFile(join(folder, 'm/x.gguf'), '')
    await run(modelsCommand, 'add', join(folder, 'm', '..', 'm', 'x.gguf'), '--json')
    expect(JSON.parse(output.written)).toMatchObject({ from: join(folder, 'm/x.gguf') })
    await run(modelsCommand, 'remove', 'a', '--keep-file')
    await run(modelsCommand, 'remove', 'model')
    expect(target.calls).toEqual(['remove a', 'remove model with its file'])
  })

  test('on a terminal, progress is drawn over itself and goes away', async () => {
    await startAgent()
    target.download = async (onProgress) =>
      onProgress({ phase: 'verifying', bytes: 50, totalBytes: 100, bytesPerSecond: 0 })
    output.isTerminal = true
    await modelsCommand(output).parseAsync(['add', 'hf:user/repo:q4', '--state', folder], { from: 'user' })
    const bar = `${'█'.repeat(12)}${'░'.repeat(12)} checking 50 %, 50 B of 100 B`
    expect(output.notes).toBe(`\r\u001B[K${bar}\r\u001B[K`)
  })

  test.each([
    ['--id', 'a b'],
    ['--alias', ''],
    ['--sha256', 'abc'],
  ])('refuses %s %j', async (option, value) => {
    await expect(run(modelsCommand, 'add', 'x.gguf', option, value)).rejects.toMatchObject({
      code: 'commander.invalidArgument',
    })
  })
})
