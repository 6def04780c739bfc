import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { setTimeout } from 'node:timers/promises'
import { dieWithParent } from '../child/die-with-parent.ts'
import { forEachLine } from '../child/lines.ts'
import { type ChildExit, childExit, stopChild } from '../child/stop-child.ts'
import { ExitCode, Failure } from '../exit-codes.ts'

/** Loading a large model from a slow disk takes minutes; something is wrong after this. */
const ONLINE_TIMEOUT_SECONDS = 300
/** How long a stopping Host may go on with what runs. */
const DRAIN_SECONDS = 10
/** How long after that it may take to end. */
const KILL_MARGIN_SECONDS = 5
/** pino's number for `error`. */
const ERROR_LEVEL = 50

/** What the Host is told. */
export interface HostCommand {
  /** The agent's entry file. */
  readonly program: string
  readonly orcUrl: string
  readonly modelPath: string
  readonly stateDir: string
  readonly enrolmentToken: string | undefined
  /** Gets warnings and errors. */
  readonly log: (line: string) => void
}

/** A `daisi-host` process. */
export interface HostProcess {
  readonly exited: Promise<ChildExit>
  /** Resolves when the Orc has welcomed it. */
  readonly online: Promise<void>
  /** Lets it finish what runs, then ends it. */
  readonly stop: () => Promise<ChildExit>
  readonly kill: () => void
}

/** Starts the real agent, as its owner would. */
export function startHost(command: HostCommand): HostProcess {
  const { orcUrl, modelPath, stateDir, enrolmentToken } = command
  const places = ['--orc', orcUrl, '--model', modelPath, '--state', stateDir]
  const habits = ['--log-format', 'json', '--drain-timeout', String(DRAIN_SECONDS)]
  const child = spawn(process.execPath, [command.program, 'run', ...places, ...habits], {
    stdio: ['ignore', 'ignore', 'pipe'],
    // In the environment the token is not shown to other users of the machine.
    env: enrolmentToken === undefined ? process.env : { ...process.env, DAISI_ENROLL_TOKEN: enrolmentToken },
    detached: process.platform !== 'win32',
  })
  dieWithParent(child, 'TERM')
  const exited = childExit(child)
  return {
    exited,
    online: whenOnline(child.stderr, exited, command.log),
    stop: () => stopChild(child, exited, (DRAIN_SECONDS + KILL_MARGIN_SECONDS) * 1000),
    kill: () => void child.kill('SIGKILL'),
  }
}

async function whenOnline(
  stderr: Readable,
  exited: Promise<ChildExit>,
  log: (line: string) => void,
): Promise<void> {
  let lastError = ''
  const welcomed = new Promise<'online'>((resolve) => {
    forEachLine(stderr, (line) => {
      const record = readRecord(line)
      if (record.event === 'online') resolve('online')
      if (record.level < ERROR_LEVEL) return
      lastError = record.message
      log(`Host: ${record.message}`)
    })
  })
  const patience = new AbortController()
  const late = setTimeout(ONLINE_TIMEOUT_SECONDS * 1000, 'late' as const, {
    signal: patience.signal,
    ref: false,
  })
  // Its rejection is the abort below.
  late.catch(() => undefined)
  const outcome = await Promise.race([welcomed, exited, late])
  patience.abort()
  if (outcome === 'online') return
  const what =
    outcome === 'late'
      ? `did not come online within ${ONLINE_TIMEOUT_SECONDS} s`
      : `ended before it was online (${outcome.signal ?? `exit code ${outcome.code}`})`
  throw new Failure(ExitCode.Host, `The Host ${what}. ${lastError}`.trimEnd())
}

interface LogRecord {
  readonly level: number
  readonly event: unknown
  readonly message: string
}

/** A line that is no log record comes from Node itself or from native code: an error until proven otherwise. */
function readRecord(line: string): LogRecord {
  try {
    const value: unknown = JSON.parse(line)
    if (typeof value === 'object' && value !== null) {
      const level: unknown = Reflect.get(value, 'level')
      const message: unknown = Reflect.get(value, 'msg')
      return {
        level: typeof level === 'number' ? level : 0,
        event: Reflect.get(value, 'event'),
        message: typeof message === 'string' ? message : '',
      }
    }
  } catch {
    // Falls through.
  }
  return { level: line.trim() === '' ? 0 : ERROR_LEVEL, event: undefined, message: line }
}

/** The built agent. */
export function hostProgram(): string {
  const manifest = createRequire(import.meta.url).resolve('daisi-host/package.json')
  const [program, built] = ['bin/daisi-host.js', 'dist/cli.js'].map((file) => join(dirname(manifest), file))
  if (program !== undefined && existsSync(built ?? '')) return program
  throw new Failure(ExitCode.Missing, `${built} is missing. Run \`npm run build\`.`)
}
