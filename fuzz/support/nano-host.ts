import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { dieWithParent } from '../../orc-local/src/child/die-with-parent.ts'
import { forEachLine } from '../../orc-local/src/child/lines.ts'
import { childExit } from '../../orc-local/src/child/stop-child.ts'
import type { LogBook } from './log-book.ts'

const REPOSITORY = join(import.meta.dirname, '../..')
const PROGRAM = join(REPOSITORY, 'host-agent/bin/daisi-host.js')
const MODEL = join(REPOSITORY, 'models/daisi-nano/daisi-nano.gguf')
const ONLINE_TIMEOUT_MS = 60_000

/** A running `daisi-host` with the bundled model. */
export interface NanoHost {
  readonly pid: number
  readonly hostId: string
  /** Its private key, to look for where it must not be. */
  readonly privateKey: string
  /** False once the process is gone. */
  readonly isAlive: () => boolean
  readonly stop: () => Promise<void>
}

/** Starts the built agent with every line of its log going to the book. Resolves when it is online. */
export async function startNanoHost(
  options: {
    readonly orcUrl: string
    readonly stateDir: string
    readonly enrolmentToken: string
    readonly model: string
    /** Where it listens for Direct Connections. */
    readonly direct: string
  },
  log: LogBook,
): Promise<NanoHost> {
  const settings = {
    '--orc': options.orcUrl,
    '--model': MODEL,
    '--model-id': options.model,
    '--state': options.stateDir,
    '--slots': '4',
    '--queue': '64',
    '--threads': '1',
    '--log-format': 'json',
    '--log-level': 'debug',
    '--direct': options.direct,
  }
  const child = spawn(process.execPath, [PROGRAM, 'run', '--no-gpu', ...Object.entries(settings).flat()], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, DAISI_ENROLL_TOKEN: options.enrolmentToken },
    detached: process.platform !== 'win32',
  })
  dieWithParent(child, 'KILL')
  const exited = childExit(child)
  let alive = true
  void exited.then(() => (alive = false))
  let last = ''
  const hostId = await new Promise<string | undefined>((resolve) => {
    const onLine = (line: string): void => {
      log.note('Host', line)
      last = line
      const online = line.includes('"event":"online"') ? /"hostId":"([^"]+)"/.exec(line) : null
      if (online !== null) resolve(online[1])
    }
    forEachLine(child.stdout, onLine)
    forEachLine(child.stderr, onLine)
    setTimeout(() => resolve(undefined), ONLINE_TIMEOUT_MS).unref()
    void exited.then(() => resolve(undefined))
  })
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL')
    await exited
  }
  if (hostId === undefined) {
    await stop()
    throw new Error(`the Host did not come online: ${last}`)
  }
  const identity: { d: string } = JSON.parse(await readFile(join(options.stateDir, 'identity.json'), 'utf8'))
  return { pid: child.pid ?? 0, hostId, privateKey: identity.d, isAlive: () => alive, stop }
}
