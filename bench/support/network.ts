import type { AccountCreated, AppCreated, EnrolmentCreated, KeyCreated } from '@daisi/protocol'
import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type RunningOrc, startOrc } from '../../orc-local/src/index.ts'
import { GENEROUS_RATE_LIMITS } from '../../orc-local/src/testing/generous-rate-limits.ts'
import { type Helper, startHelper } from './child.ts'
import { MOCK_MODEL } from './mock-answer.ts'

/** Credits that nobody uses up here. */
const GRANT = '1000000000000'

/** What a run of benchmarks was told. */
export interface BenchOptions {
  /** Fewer requests and shorter streams: for trying the benchmarks out, not for numbers. */
  readonly quick: boolean
  /** Another build of the Worker than the one in `orc-local/dist`. */
  readonly workerScript: string | undefined
}

/** A fresh Orc with an account that has a Secret Key and may enrol Hosts. */
export interface Network {
  readonly url: string
  readonly orcPid: number
  /** Rows that the Orc wrote to its database since it started. */
  readonly rowsWritten: () => Promise<number>
  readonly secretKey: string
  readonly createKey: () => Promise<{ readonly id: string; readonly key: string }>
  readonly revokeKey: (id: string) => Promise<void>
  readonly enrolmentToken: () => Promise<string>
  /** Makes an account whose owner may log in by this address. */
  readonly invite: (email: string) => Promise<void>
  readonly startMockHost: (slots: number) => Promise<Helper>
  /** A folder that goes away with the network. */
  readonly folder: string
}

/** Runs `work` on a network of its own and takes it down, whatever happens. */
export async function withNetwork<Result>(
  { workerScript }: BenchOptions,
  work: (network: Network, defer: (cleanup: () => Promise<unknown>) => void) => Promise<Result>,
): Promise<Result> {
  const cleanups: (() => Promise<unknown>)[] = []
  const defer = (cleanup: () => Promise<unknown>): void => void cleanups.unshift(cleanup)
  try {
    const folder = await mkdtemp(join(tmpdir(), 'daisi-bench-'))
    const remove = (): void => rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
    // A run that is interrupted ends with `exit` and nothing else.
    process.once('exit', remove)
    defer(async () => {
      process.off('exit', remove)
      remove()
    })
    const orc = await startOrc({
      stateDir: join(folder, 'orc'),
      port: 0,
      vars: { SIGNUP_GRANT: GRANT, RATE_LIMITS: GENEROUS_RATE_LIMITS, LOGIN_EMAIL: 'console' },
      log: (line) => process.stderr.write(`Orc: ${line}\n`),
      ...(workerScript === undefined ? {} : { workerScript }),
    })
    defer(orc.kill)
    return await work(await furnish(orc, folder, defer), defer)
  } finally {
    // One that fails must not keep the others from running.
    for (const cleanup of cleanups) {
      await cleanup().catch((error: unknown) => process.stderr.write(`cleaning up: ${String(error)}\n`))
    }
  }
}

async function furnish(
  orc: RunningOrc,
  folder: string,
  defer: (cleanup: () => Promise<unknown>) => void,
): Promise<Network> {
  const operator = await call<AccountCreated>(orc.url, orc.setupToken, 'POST', '/api/setup', {
    name: 'operator',
  })
  const open = (name: string): Promise<AccountCreated> =>
    call(orc.url, operator.token, 'POST', '/api/accounts', { name })
  // Consumer and owner of the Hosts differ, so that work is paid for.
  const consumer = await open('consumer')
  const owner = await open('owner')
  const app = await call<AppCreated>(orc.url, consumer.token, 'POST', '/api/apps', { name: 'bench' })
  const createKey = (): Promise<KeyCreated> =>
    call(orc.url, consumer.token, 'POST', `/api/apps/${app.id}/keys`, { name: 'bench' })
  const enrolmentToken = async (): Promise<string> =>
    (await call<EnrolmentCreated>(orc.url, owner.token, 'POST', '/api/host-enrolments', {})).token
  return {
    url: orc.url,
    orcPid: orc.pid,
    rowsWritten: orc.rowsWritten,
    secretKey: (await createKey()).key,
    createKey,
    revokeKey: async (id) => void (await call(orc.url, consumer.token, 'DELETE', `/api/keys/${id}`)),
    enrolmentToken,
    invite: async (email) =>
      void (await call(orc.url, operator.token, 'POST', '/api/accounts', {
        name: 'known',
        owner_email: email,
      })),
    startMockHost: async (slots) => {
      const options = { orcUrl: orc.url, enrolmentToken: await enrolmentToken(), model: MOCK_MODEL, slots }
      const host = await startHelper('mock-host.ts', options)
      defer(host.stop)
      return host
    },
    folder,
  }
}

async function call<Value>(
  orcUrl: string,
  token: string,
  method: string,
  path: string,
  body?: object,
): Promise<Value> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const content = body === undefined ? {} : { body: JSON.stringify(body) }
  const response = await fetch(new URL(path, orcUrl), { method, headers, ...content })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`)
  const value: Value = text === '' ? undefined : JSON.parse(text)
  return value
}
