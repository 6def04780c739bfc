import { spawn } from 'node:child_process'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { formatLine } from './log.ts'
import { FakeOrc } from './testing/fake-orc.ts'
import { MODEL_PATH } from './testing/model.ts'
import { AGENT_VERSION } from './version.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'daisi-cli-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

/** The command under test, run from source. */
class Cli {
  readonly exitCode: Promise<number | null>
  readonly #child
  readonly #lines: AsyncIterator<string>
  readonly #output: AsyncIterator<string>
  readonly seen: string[] = []

  constructor(args: string[], env: Record<string, string> = {}) {
    this.#child = spawn(process.execPath, [join(import.meta.dirname, 'cli.ts'), ...args], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.exitCode = new Promise((resolve) => this.#child.on('exit', (code) => resolve(code)))
    this.#lines = createInterface({ input: this.#child.stderr })[Symbol.asyncIterator]()
    this.#output = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]()
  }

  /** The next line on stdout; undefined at its end. */
  async line(): Promise<string | undefined> {
    const { value, done } = await this.#output.next()
    return done === true ? undefined : value
  }

  /** The next log record of an event. */
  async event(name: string): Promise<Record<string, unknown>> {
    while (true) {
      const { value, done } = await this.#lines.next()
      if (done === true) throw new Error(`no ${name}, but: ${this.seen.join('\n')}`)
      this.seen.push(value)
      const record = JSON.parse(value) as Record<string, unknown>
      if (record['event'] === name) return record
    }
  }

  /** Every line on stdout that is not read yet. */
  async output(): Promise<string[]> {
    const lines: string[] = []
    for (let line = await this.line(); line !== undefined; line = await this.line()) lines.push(line)
    return lines
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name)
  }
}

const runArguments = (url: string, ...more: string[]): string[] => [
  'run',
  '--orc',
  url,
  '--model',
  MODEL_PATH,
  '--no-gpu',
  '--state',
  join(folder, 's'),
  ...more,
]

describe('daisi-host', () => {
  test('enrols, comes online, answers, and ends cleanly on SIGTERM; the second time without a token', async () => {
    const orc = await FakeOrc.start()
    const cli = new Cli(runArguments(orc.url), { DAISI_ENROLL_TOKEN: orc.enrolmentToken })
    const connection = await orc.welcomed()
    const online = await cli.event('online')
    expect(online).toMatchObject({
      hostId: connection.hostId,
      alias: 'quiet-fox',
      orc: orc.url,
      models: ['daisi-nano'],
    })
    connection.send(await orc.run(connection.hostId, { model: { id: 'daisi-nano' } }))
    expect(await connection.next('job-end')).toMatchObject({ outcome: 'completed', finishReason: 'stop' })
    const frames = connection.log.filter((message) => message.type === 'frame')
    expect(frames.map((frame) => frame.text).join('')).toMatch(/^Hello/)
    cli.signal('SIGTERM')
    expect(await cli.exitCode).toBe(0)

    const again = new Cli(runArguments(orc.url))
    expect((await orc.welcomed()).hostId).toBe(connection.hostId)
    await again.event('online')
    again.signal('SIGINT')
    expect(await again.exitCode).toBe(0)
    expect(cli.seen.join('')).not.toContain('hello')
    await orc.close()
  })

  test('keeps trying while the Orc is away, and a signal ends that too', async () => {
    const orc = await FakeOrc.start()
    const { url } = orc
    await orc.close()
    const cli = new Cli(runArguments(url))
    expect(await cli.event('offline')).toMatchObject({ orc: url })
    await cli.event('offline')
    cli.signal('SIGTERM')
    expect(await cli.exitCode).toBe(0)
  })

  test('serves two Orcs, ends neither for the other, and stops both on a signal', async () => {
    const [first, second] = await Promise.all([
      FakeOrc.start({ issuer: 'https://first.test' }),
      FakeOrc.start({ issuer: 'https://second.test' }),
    ])
    const environment = { DAISI_ORC: `${first.url},${second.url}`, DAISI_ENROLL_TOKEN: 'enrol-me,enrol-me' }
    const cli = new Cli(runArguments(first.url).toSpliced(1, 2), environment)
    const connections = await Promise.all([first.welcomed(), second.welcomed()])
    const online = [await cli.event('online'), await cli.event('online')].map(({ orc }) => orc)
    expect(new Set(online)).toEqual(new Set([first.url, second.url]))
    connections[0].close(4403)
    expect(await cli.event('orc-ended')).toMatchObject({ orc: first.url, code: 'revoked' })
    connections[1].send(await second.run(connections[1].hostId, { model: { id: 'daisi-nano' } }))
    expect(await connections[1].next('job-end')).toMatchObject({ outcome: 'completed' })
    cli.signal('SIGTERM')
    expect(await cli.exitCode).toBe(0)
    await Promise.all([first.close(), second.close()])
  })

  test('login enrols, and run needs no token after it; it tells people and scripts', async () => {
    const orc = await FakeOrc.start()
    orc.login.grant = { interval: 0.01 }
    const args = ['login', '--orc', orc.url, '--state', join(folder, 's'), '--name', 'attic']
    const forScripts = new Cli([...args, '--json'])
    const events = (await forScripts.output()).map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(events).toMatchObject([
      { event: 'code', userCode: 'WDJB-MJHT' },
      { event: 'enrolled', orc: orc.url },
    ])
    expect(await forScripts.exitCode).toBe(0)
    orc.login.answers = ['grant']
    const forPeople = new Cli(args)
    expect((await forPeople.output()).map((line) => line.trim())).toEqual(
      expect.arrayContaining(['WDJB-MJHT', `${orc.url}/device`]),
    )
    expect(await forPeople.exitCode).toBe(0)
    const run = new Cli(runArguments(orc.url))
    await orc.welcomed()
    await run.event('online')
    run.signal('SIGTERM')
    expect(await run.exitCode).toBe(0)
    await orc.close()
  })

  test('a login ends with its own exit codes', async () => {
    const orc = await FakeOrc.start()
    const args = ['login', '--orc', orc.url, '--state', join(folder, 's'), '--json']
    const interrupted = new Cli(args)
    expect(JSON.parse((await interrupted.line()) ?? '')).toMatchObject({ event: 'code' })
    interrupted.signal('SIGINT')
    expect(JSON.parse((await interrupted.line()) ?? '')).toMatchObject({ code: 'login_interrupted' })
    expect(await interrupted.exitCode).toBe(130)
    orc.login.grant = { interval: 0.01 }
    orc.login.answers = ['access_denied']
    const denied = new Cli(args)
    expect((await denied.output()).at(-1)).toContain('"code":"login_denied"')
    expect(await denied.exitCode).toBe(5)
    orc.login.grant = { interval: 0.02, expires_in: 0.01 }
    expect(await new Cli(args).exitCode).toBe(7)
    await orc.close()
    expect(await new Cli(args).exitCode).toBe(8)
  })

  test('id prints the same id each time', async () => {
    const args = ['id', '--state', join(folder, 's')]
    const first = await new Cli(args).output()
    expect(first).toEqual([expect.stringMatching(/^[A-Za-z0-9_-]{43}$/)])
    expect(await new Cli(args).output()).toEqual(first)
  })

  test('exit codes say what is wrong', async () => {
    const orc = await FakeOrc.start()
    const broken = join(folder, 'broken.gguf')
    await writeFile(broken, (await readFile(MODEL_PATH)).subarray(0, 100_000))
    expect(await new Cli(['run']).exitCode).toBe(2)
    expect(await new Cli(runArguments('ftp://orc')).exitCode).toBe(2)
    expect(await new Cli(runArguments(orc.url, '--model', join(folder, 'none.gguf'))).exitCode).toBe(4)
    expect(await new Cli(runArguments(orc.url, '--model', broken)).exitCode).toBe(4)
    expect(await new Cli(runArguments(orc.url, '--enroll', 'wrong')).exitCode).toBe(5)
    expect(await new Cli(runArguments('http://orc.test')).exitCode).toBe(2)
    expect(await new Cli(runArguments(orc.url, '--pin', 'sha256:00')).exitCode).toBe(2)
    expect(await new Cli(runArguments(orc.url, '--enroll', 'a', '--enroll', 'b')).exitCode).toBe(2)
    await chmod(join(folder, 's', 'identity.json'), 0o644)
    expect(await new Cli(runArguments(orc.url)).exitCode).toBe(3)
    await chmod(join(folder, 's', 'identity.json'), 0o600)
    await writeFile(join(folder, 's', 'identity.json'), '{')
    expect(await new Cli(runArguments(orc.url)).exitCode).toBe(3)
    await orc.close()
  })
})

test('the version is that of package.json', async () => {
  const text = await readFile(join(import.meta.dirname, '../package.json'), 'utf8')
  expect(JSON.parse(text)).toMatchObject({ version: AGENT_VERSION })
})

test('log lines for people are short', () => {
  const line = JSON.stringify({
    level: 40,
    time: 0,
    event: 'x',
    orc: 'http://o',
    delayMs: 5,
    msg: 'not connected',
  })
  expect(formatLine(line)).toMatch(/^\d\d:\d\d:\d\d warning: not connected orc=http:\/\/o delayMs=5\n$/)
})
