import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { dieWithParent } from '../../orc-local/src/child/die-with-parent.ts'
import { childExit, stopChild } from '../../orc-local/src/child/stop-child.ts'

const PROGRAM = join(import.meta.dirname, '../../host-agent/bin/daisi-host.js')
/** Hashing and loading half a gigabyte takes seconds; a busy machine takes longer. */
const ONLINE_TIMEOUT_MS = 120_000

export interface RealHostOptions {
  readonly orcUrl: string
  readonly modelPath: string
  readonly modelId: string
  readonly stateDir: string
  readonly enrolmentToken: string
  readonly slots: number
  readonly contextLength: number
}

/** A `daisi-host` whose engine has one thread. */
export interface RealHost {
  readonly pid: number
  readonly stop: () => Promise<unknown>
}

/** Starts the built agent as its owner would and resolves when it is online. */
export async function startRealHost(options: RealHostOptions): Promise<RealHost> {
  const settings = {
    '--orc': options.orcUrl,
    '--model': options.modelPath,
    '--model-id': options.modelId,
    '--state': options.stateDir,
    '--slots': String(options.slots),
    '--threads': '1',
    '--context': String(options.contextLength),
    '--log-format': 'json',
    '--drain-timeout': '1',
  }
  const child = spawn(process.execPath, [PROGRAM, 'run', '--no-gpu', ...Object.entries(settings).flat()], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, DAISI_ENROLL_TOKEN: options.enrolmentToken },
    detached: process.platform !== 'win32',
  })
  dieWithParent(child, 'TERM')
  const exited = childExit(child)
  let lastLine = ''
  const online = new Promise<boolean>((resolve) => {
    createInterface({ input: child.stderr }).on('line', (line) => {
      lastLine = line
      if (line.includes('"event":"online"')) resolve(true)
    })
    setTimeout(() => resolve(false), ONLINE_TIMEOUT_MS).unref()
    void exited.then(() => resolve(false))
  })
  const stop = (): Promise<unknown> => stopChild(child, exited, 5_000)
  if (await online) return { pid: child.pid ?? 0, stop }
  await stop()
  throw new Error(`the Host did not come online: ${lastLine}`)
}
