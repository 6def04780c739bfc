import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { build } from 'esbuild'
import { dieWithParent } from '../../orc-local/src/child/die-with-parent.ts'
import { childExit } from '../../orc-local/src/child/stop-child.ts'
import { workerdBinary } from '../../orc-local/src/orc/artefacts.ts'
import { COMPATIBILITY_DATE } from '../../orc-local/src/orc/bindings.ts'
import { Embed, renderCapnp } from '../../orc-local/src/orc/capnp.ts'
import { startWorkerd } from '../../orc-local/src/orc/workerd-process.ts'

const FOLDER = join(import.meta.dirname, '../gateways')
const PORTKEY = join(FOLDER, 'node_modules/@portkey-ai/gateway/build/start-server.js')
const START_TIMEOUT_MS = 30_000

/** A process that passes chat completions on. */
export interface Gateway {
  readonly url: string
  readonly pid: number
  /** What it wants to be told with each request. */
  readonly headers: Readonly<Record<string, string>>
  readonly stop: () => Promise<unknown>
}

/** A Worker of a few lines on the Orc's own workerd. `folder` takes its files. */
export async function startPassThrough(upstream: string, folder: string): Promise<Gateway> {
  await build({
    entryPoints: [join(FOLDER, 'pass-through.ts')],
    outfile: join(folder, 'pass-through.js'),
    bundle: true,
    format: 'esm',
    target: 'es2024',
    logLevel: 'warning',
  })
  const config = renderCapnp({
    services: [
      {
        name: 'gateway',
        worker: {
          modules: [{ name: 'pass-through.js', esModule: new Embed('pass-through.js') }],
          compatibilityDate: COMPATIBILITY_DATE,
          bindings: [{ name: 'UPSTREAM', text: upstream }],
          globalOutbound: 'outside',
        },
      },
      { name: 'outside', network: { allow: ['private'] } },
    ],
    sockets: [{ name: 'http', address: '127.0.0.1:0', http: {}, service: 'gateway' }],
  })
  const configFile = join(folder, 'pass-through.capnp')
  await writeFile(
    configFile,
    `using Workerd = import "/workerd/workerd.capnp";\nconst config :Workerd.Config = ${config};\n`,
  )
  const { child, exited, ports } = await startWorkerd({
    binary: await workerdBinary(),
    configFile,
    environment: {},
    sockets: ['http'],
    log: (line) => process.stderr.write(`pass-through: ${line}\n`),
    onLoginCode: () => undefined,
  })
  return {
    url: `http://127.0.0.1:${ports.get('http')}`,
    pid: child.pid ?? 0,
    headers: {},
    stop: () => {
      child.kill('SIGKILL')
      return exited
    },
  }
}

/** True if the packages of `bench/gateways` are installed. */
export function hasPortkey(): boolean {
  return existsSync(PORTKEY)
}

/** The published gateway on Node. It refuses private addresses that it was not told to trust. */
export async function startPortkey(upstream: string): Promise<Gateway> {
  const port = await freePort()
  const child = spawn(process.execPath, [PORTKEY, `--port=${port}`, '--headless'], {
    stdio: 'ignore',
    env: {
      PATH: process.env['PATH'] ?? '',
      TRUSTED_CUSTOM_HOSTS: '127.0.0.1,localhost',
      NODE_ENV: 'production',
    },
  })
  const exited = childExit(child)
  dieWithParent(child, 'KILL')
  const stop = (): Promise<unknown> => {
    child.kill('SIGKILL')
    return exited
  }
  const url = `http://127.0.0.1:${port}`
  const headers = { 'x-portkey-provider': 'openai', 'x-portkey-custom-host': `${upstream}/v1` }
  const until = performance.now() + START_TIMEOUT_MS
  while (
    !(await fetch(url)
      .then((answer) => answer.text())
      .catch(() => undefined))
  ) {
    if (performance.now() > until || child.exitCode !== null) {
      await stop()
      throw new Error('@portkey-ai/gateway did not start; run `npm ci` in bench/gateways again')
    }
    await sleep(50)
  }
  return { url, pid: child.pid ?? 0, headers, stop }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}
