import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
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
  readonly seen: string[] = []

  constructor(args: string[], env: Record<string, string> = {}) {
    this.#child = spawn(process.execPath, [join(import.meta.dirname, 'cli.ts'), ...args], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.exitCode = new Promise((resolve) => this.#child.on('exit', (code) => resolve(code)))
    this.#lines = createInterface({ input: this.#child.stderr })[Symbol.asyncIterator]()
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

  async output(): Promise<string> {
    let text = ''
    for await (const chunk of this.#child.stdout) text += String(chunk)
    return text
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

  test('id prints the same id each time', async () => {
    const args = ['id', '--state', join(folder, 's')]
    const first = await new Cli(args).output()
    expect(first).toMatch(/^[A-Za-z0-9_-]{43}\n$/)
    expect(await new Cli(args).output()).toBe(first)
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
