import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AccountCreated, AppCreated, EnrolmentCreated, KeyCreated } from '../../protocol/src/index.ts'
import { type LoginCode, type RunningOrc, startOrc } from '../../orc-local/src/index.ts'
import { manageApi } from '../../orc-local/src/manage-api.ts'
import { GENEROUS_RATE_LIMITS } from '../../orc-local/src/testing/generous-rate-limits.ts'
import { LogBook } from './log-book.ts'
import { type NanoHost, startNanoHost } from './nano-host.ts'
import { SecretWatch } from './secret-watch.ts'
import type { Tally } from './tally.ts'

/** Name of the bundled model for Consumers. */
export const NANO = 'daisi-nano'

/** Credits of each account: no input may fail only for want of them. */
const GRANT = 10_000_000
const GITHUB_SECRET = 'github-client-secret-of-the-fuzzer'
/** Nobody listens there, and the Orc may not dial it either. */
const NOWHERE = 'http://127.0.0.1:9'

/** Who is never touched by the fuzzer and must be served all the time. */
export interface Canary {
  readonly account: AccountCreated
  readonly key: string
}

/** A real Orc and a real Host in processes of their own, and what is needed to look after them. */
export class World implements AsyncDisposable {
  readonly watch: SecretWatch
  readonly log: LogBook
  readonly orc: RunningOrc
  readonly host: NanoHost
  /** The operator account, which the fuzzer never plays. */
  readonly root: AccountCreated
  readonly canary: Canary
  readonly #folder: string
  readonly #codes: Map<string, (code: LoginCode) => void>
  #alive = true

  private constructor(parts: {
    watch: SecretWatch
    log: LogBook
    orc: RunningOrc
    host: NanoHost
    root: AccountCreated
    canary: Canary
    folder: string
    codes: Map<string, (code: LoginCode) => void>
  }) {
    this.watch = parts.watch
    this.log = parts.log
    this.orc = parts.orc
    this.host = parts.host
    this.root = parts.root
    this.canary = parts.canary
    this.#folder = parts.folder
    this.#codes = parts.codes
    void this.orc.exited.then(() => (this.#alive = false))
  }

  static async start(tally: Tally): Promise<World> {
    await using cleanup = new AsyncDisposableStack()
    const folder = await mkdtemp(join(tmpdir(), 'daisi-fuzz-'))
    cleanup.defer(() => rm(folder, { recursive: true, force: true }))
    const watch = new SecretWatch()
    const log = new LogBook(watch, (what, line) =>
      tally.fail({ area: 'logs', index: undefined, what, reproduction: line.slice(0, 2_000) }),
    )
    const codes = new Map<string, (code: LoginCode) => void>()
    const orc = await startOrc({
      stateDir: join(folder, 'orc'),
      port: 0,
      vars: {
        SIGNUP_GRANT: String(GRANT),
        SIGN_UP: 'open',
        LOGIN_EMAIL: 'console',
        GITHUB_CLIENT_ID: 'fuzz',
        GITHUB_URL: NOWHERE,
        GITHUB_API_URL: NOWHERE,
        RATE_LIMITS: GENEROUS_RATE_LIMITS,
      },
      secrets: { GITHUB_CLIENT_SECRET: GITHUB_SECRET },
      log: (line) => log.note('Orc', line),
      onLoginCode: (code) => codes.get(code.email)?.(code),
    })
    cleanup.defer(() => orc.kill())
    watch.add(GITHUB_SECRET)
    await watchSecretFiles(join(folder, 'orc'), watch)
    const root = await manageApi(orc.url, orc.setupToken).post<AccountCreated>('/api/setup', { name: 'root' })
    const account = await manageApi(orc.url, root.token).post<AccountCreated>('/api/accounts', {
      name: 'canary',
    })
    const api = manageApi(orc.url, account.token)
    const app = await api.post<AppCreated>('/api/apps', { name: 'canary' })
    const { key } = await api.post<KeyCreated>(`/api/apps/${app.id}/keys`, { name: 'canary' })
    const enrolment = await api.post<EnrolmentCreated>('/api/host-enrolments', {})
    for (const secret of [root.token, account.token, key, enrolment.token]) watch.add(secret)
    const host = await startNanoHost(
      {
        orcUrl: orc.url,
        stateDir: join(folder, 'host'),
        enrolmentToken: enrolment.token,
        model: NANO,
        direct: `127.0.0.1:${await freePort()}`,
      },
      log,
    )
    watch.add(host.privateKey)
    cleanup.move()
    return new World({ watch, log, orc, host, root, canary: { account, key }, folder, codes })
  }

  get url(): string {
    return this.orc.url
  }

  /** Names of the processes that are gone. */
  get dead(): string[] {
    return [...(this.#alive ? [] : ['the Orc']), ...(this.host.isAlive() ? [] : ['the Host'])]
  }

  /** Resolves with the code that the Orc prints for this address. Asked for before the login begins. */
  loginCode(email: string): Promise<string> {
    return new Promise((resolve) => {
      this.#codes.set(email, ({ code }) => {
        this.#codes.delete(email)
        resolve(code)
      })
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.host.stop()
    await this.orc.kill()
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 3 })
  }
}

/** Every secret that the Orc keeps in its state folder. */
async function watchSecretFiles(dir: string, watch: SecretWatch): Promise<void> {
  const names = (await readdir(dir)).filter((name) => name.includes('secret') && name.endsWith('.json'))
  if (names.length === 0) throw new Error(`no file of secrets in ${dir}`)
  for (const name of names) {
    const secrets: Record<string, string> = JSON.parse(await readFile(join(dir, name), 'utf8'))
    for (const [field, value] of Object.entries(secrets)) {
      if (field !== 'SIGNING_KEYS') watch.add(value)
      else for (const { d } of JSON.parse(value) as { d: string }[]) watch.add(d)
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}
