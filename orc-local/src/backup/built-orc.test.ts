import { join } from 'node:path'
import type { AccountCreated, AccountView, AuditReport } from '@daisi/protocol'
import { expect } from 'vitest'
import { type ManageApi, manageApi } from '../manage-api.ts'
import { builtArtefacts } from '../orc/artefacts.ts'
import { rotateSecretsFile } from '../orc/secrets.ts'
import type { RunningOrc } from '../orc/start-orc.ts'
import { call, test } from '../testing/orc-fixture.ts'
import { backUp } from './back-up.ts'

// These run the Worker itself, as it was built, and not the stand-in.

/** How many accounts are made before the backup begins, and by how many callers at a time. */
const ACCOUNTS_BEFORE = 150
const CALLERS = 8

/** Makes accounts all the time. */
class Load {
  /** Of the accounts that the Orc acknowledged. */
  readonly tokens: string[] = []
  readonly #api: ManageApi
  readonly #end = new AbortController()
  readonly #callers: Promise<void>
  #onAccount: () => void = () => undefined

  constructor(api: ManageApi) {
    this.#api = api
    this.#callers = Promise.all(Array.from({ length: CALLERS }, () => this.#makeAccounts())).then(
      () => undefined,
    )
  }

  /** Resolves when so many were acknowledged; rejects when making them fails. */
  async reached(count: number): Promise<void> {
    const enough = new Promise<void>((resolve) => {
      this.#onAccount = () => {
        if (this.tokens.length >= count) resolve()
      }
    })
    await Promise.race([enough, this.#callers])
  }

  async stop(): Promise<void> {
    this.#end.abort()
    await this.#callers
  }

  async #makeAccounts(): Promise<void> {
    while (!this.#end.signal.aborted) {
      const { token } = await this.#api.post<AccountCreated>('/api/accounts', { name: 'somebody' })
      this.tokens.push(token)
      this.#onAccount()
    }
  }
}

function available(orc: RunningOrc, token: string): Promise<number> {
  return manageApi(orc.url, token)
    .get<AccountView>('/api/account')
    .then(({ balance }) => balance.available)
}

test.skipIf(process.platform === 'win32')(
  'a backup under load holds every account that was acknowledged before it, and a book without fault',
  { timeout: 60_000 },
  async ({ start, options, dir }) => {
    const orc = await start({ ...builtArtefacts, vars: { RATE_LIMITS: '{"management":null}' } })
    const operator = await manageApi(orc.url, orc.setupToken).post<AccountCreated>('/api/setup', {
      name: 'me',
    })
    const load = new Load(manageApi(orc.url, operator.token))
    await load.reached(ACCOUNTS_BEFORE)
    const before = [...load.tokens]
    const backup = await backUp({
      stateDir: options.stateDir,
      target: join(dir, 'copy'),
      signal: new AbortController().signal,
    })
    await load.reached(load.tokens.length + 1)
    await load.stop()

    const restored = await start({ ...builtArtefacts, stateDir: backup.dir })
    const balances = await Promise.all(before.map((token) => available(restored, token)))
    expect(balances).toEqual(before.map(() => 10_000))
    const api = manageApi(restored.url, operator.token)
    const audit = await api.get<AuditReport>('/api/audit')
    expect(audit).toMatchObject({ sum: 0, drifted: 0, overdrawn: 0, misplaced: 0, unexplained: 0 })
    expect(audit.transfers).toBeGreaterThanOrEqual(before.length)
    expect(audit.transfers).toBeLessThanOrEqual(load.tokens.length)
    await api.post('/api/accounts', { name: 'later' })
    const last = await available(orc, load.tokens.at(-1) ?? '')
    expect(last).toBe(10_000)
  },
)

test('an Orc publishes all of its keys, and the next ones after a rotation', async ({ start, options }) => {
  const published = async (): Promise<string[]> => {
    const orc = await start({ ...builtArtefacts })
    const answer = (await call(orc, '/.well-known/jwks.json')) as {
      readonly keys: readonly { readonly kid: string }[]
    }
    await orc.stop()
    return answer.keys.map((key) => key.kid)
  }
  const [signing, next, ...others] = await published()
  expect(others).toEqual([])
  await rotateSecretsFile(join(options.stateDir, 'secrets.json'), false)
  expect(await published()).toEqual([next, expect.any(String), signing])
  await rotateSecretsFile(join(options.stateDir, 'secrets.json'), true)
  const replaced = await published()
  expect(replaced).toHaveLength(2)
  expect(replaced).not.toContain(signing)
  expect(replaced).not.toContain(next)
})
