import { spawn } from 'node:child_process'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { startArguments } from '../commands/start-arguments.ts'
import { createCertificate } from '../testing/certificate.ts'
import { SetupBench } from './testing/setup-bench.ts'

const CLI = join(import.meta.dirname, '../cli.ts')

let bench: SetupBench | undefined
afterEach(() => bench?.[Symbol.asyncDispose]())

/** A process, and what it says on all of its outputs. */
class Process {
  readonly exitCode: Promise<number | null>
  readonly #child
  #text = ''
  #seen = 0
  #onText: () => void = () => {}

  constructor(program: string, args: readonly string[], environment: Record<string, string>) {
    this.#child = spawn(program, args, { env: { ...process.env, ...environment } })
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream.on('data', (data: Buffer) => {
        this.#text += data.toString()
        this.#onText()
      })
    this.exitCode = new Promise((resolve) => this.#child.on('close', resolve))
  }

  /** Resolves when it has said this, after what was waited for before; fails if it ends without. */
  async says(words: string): Promise<void> {
    const ended = this.exitCode.then((code) => {
      throw new Error(`ended with ${code} without ${words}: ${this.#text}`)
    })
    const said = new Promise<void>((resolve) => {
      this.#onText = () => {
        const at = this.#text.indexOf(words, this.#seen)
        if (at === -1) return
        this.#seen = at + words.length
        resolve()
      }
      this.#onText()
    })
    await Promise.race([said, ended])
  }

  type(keys: string): void {
    this.#child.stdin.write(keys)
  }

  get text(): string {
    return this.#text
  }
}

/** `daisi-host` on a terminal of its own. */
function onTerminal(args: string, environment: Record<string, string>): Process {
  // A name for the terminal, and a size, as those who sit before one have.
  const command = `stty cols 100 rows 40; exec '${process.execPath}' '${CLI}' ${args}`
  return new Process('script', ['-qec', command, '/dev/null'], {
    ...environment,
    TERM: 'xterm',
    SHELL: '/bin/sh',
  })
}

const onLinux = test.runIf(process.platform === 'linux')

onLinux('asks three questions on a terminal, does what is answered, and goes online', async () => {
  bench = await SetupBench.start(await createCertificate())
  bench.orc.login.grant = { interval: 0.01 }
  bench.orc.login.answers = ['authorization_pending', 'grant']
  const host = onTerminal('', { ...bench.environment, DAISI_ORC: bench.orc.url })
  await host.says('Question 1 of 3')
  host.type('\r')
  await host.says('Is this the fingerprint?')
  host.type('y')
  await host.says('WDJB-MJHT')
  await host.says('Question 2 of 3')
  await host.says('Daisi Nano')
  host.type('\r')
  await host.says('Question 3 of 3')
  // One down: only while nobody uses the machine.
  host.type('\u001B[B\r')
  const connection = await bench.orc.connection()
  const { models } = await connection.next('hello')
  expect(models).toMatchObject([{ id: 'nano', aliases: ['tiny'] }])
  connection.send(bench.orc.welcome(connection.hostId))
  await host.says('quiet-fox')
  host.type('q')
  expect(await host.exitCode).toBe(0)
  expect(await connection.closed).toBeGreaterThan(0)
  const { orcs, settings } = await bench.config()
  expect(orcs).toMatchObject([{ url: bench.orc.url, pin: expect.stringContaining('sha256:') as string }])
  expect(settings.onlyWhenIdle).toMatchObject({ onPower: true })
  expect((await bench.models()).map(({ id }) => id)).toEqual(['nano'])
  expect((await stat(join(bench.stateFolder, 'config.json'))).mode & 0o077).toBe(0)
})

onLinux('without a command begins with the questions; Ctrl-C ends them', async () => {
  bench = await SetupBench.start()
  const host = onTerminal('', bench.environment)
  await host.says('Question 1 of 3')
  host.type('\u0003')
  await host.says('setup_interrupted')
  expect(await host.exitCode).toBe(130)
})

test('with --yes it asks nothing, and does not go online by itself', async () => {
  bench = await SetupBench.start()
  const { orc } = bench
  const given = { DAISI_ORC: orc.url, DAISI_ENROLL_TOKEN: orc.enrolmentToken, DAISI_MODEL: 'nano' }
  const args = [CLI, 'setup', '--yes', '--when', 'night']
  const host = new Process(process.execPath, args, { ...bench.environment, ...given })
  expect(await host.exitCode).toBe(0)
  expect((await bench.config()).settings.schedule).toMatchObject([{ from: '22:00', to: '07:00' }])
  expect(await bench.models()).toHaveLength(1)
  expect(host.text).not.toContain(orc.enrolmentToken)
})

test('without a terminal it says what to give', async () => {
  bench = await SetupBench.start()
  const host = new Process(process.execPath, [CLI, 'setup'], bench.environment)
  await host.says('not_interactive')
  expect(await host.exitCode).toBe(2)
  // And without a command it runs, as services want it.
  expect(await startArguments([])).toEqual(['run'])
  expect(await startArguments(['status'])).toEqual(['status'])
})
