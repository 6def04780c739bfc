import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type {
  AccountCreated,
  AccountView,
  AppCreated,
  AuditReport,
  CommandQueued,
  EnrolmentCreated,
  KeyCreated,
} from '@daisi/protocol'
import { Daisi } from 'daisi-sdk'
import OpenAI from 'openai'
import { expect } from 'vitest'
import { manageApi } from '../../orc-local/src/manage-api.ts'
import { type OrcOptions, type RunningOrc, startOrc } from '../../orc-local/src/orc/start-orc.ts'
import { GENEROUS_RATE_LIMITS } from '../../orc-local/src/testing/generous-rate-limits.ts'
import { Host, type HostSettings } from './host.ts'

/** Credits that an account begins with, unless a test says otherwise. */
export const GRANT = 1_000_000

/** An account with a Secret Key, and the clients that use it. None of them tries again by itself. */
export interface Consumer {
  readonly account: AccountCreated
  readonly key: KeyCreated
  readonly openai: OpenAI
  readonly daisi: Daisi
}

/** What a test says about a Host that it starts. */
export type HostOptions = Partial<HostSettings> & {
  /** Whose Host it is, default: an account that all Hosts of the test file share. */
  readonly owner?: AccountCreated
  /** Do not enrol it. */
  readonly stranger?: boolean
}

/** A network on this machine: an Orc process, accounts, and the Hosts that were started. */
export class Network implements AsyncDisposable {
  readonly operator: AccountCreated
  readonly owner: AccountCreated
  readonly consumer: Consumer
  readonly #folder: string
  readonly #grant: number
  readonly #hosts: Host[] = []
  #orc: RunningOrc

  constructor(
    folder: string,
    grant: number,
    orc: RunningOrc,
    people: Pick<Network, 'operator' | 'owner' | 'consumer'>,
  ) {
    this.#folder = folder
    this.#grant = grant
    this.#orc = orc
    this.operator = people.operator
    this.owner = people.owner
    this.consumer = people.consumer
  }

  get orc(): RunningOrc {
    return this.#orc
  }
  get url(): string {
    return this.#orc.url
  }

  account(name: string): Promise<AccountCreated> {
    return createAccount(this.url, this.operator, name)
  }
  /** A new account with a key. */
  async newConsumer(): Promise<Consumer> {
    return createConsumer(this.url, await this.account('consumer'))
  }
  /** A key of an account that is there already. */
  consumerOf(account: AccountCreated): Promise<Consumer> {
    return createConsumer(this.url, account)
  }

  /** A token that enrols one Host. */
  async enrolmentToken(owner = this.owner): Promise<string> {
    const api = manageApi(this.url, owner.token)
    return (await api.post<EnrolmentCreated>('/api/host-enrolments', {})).token
  }

  /** Starts a Host; `logged('online')` tells when it is ready. */
  async startHost(options: HostOptions = {}): Promise<Host> {
    const { owner = this.owner, stranger = false, ...settings } = options
    const stateDir = settings.stateDir ?? (await mkdtemp(join(this.#folder, 'host-')))
    const isNew = settings.stateDir === undefined && !stranger
    const enrolmentToken = isNew ? await this.enrolmentToken(owner) : undefined
    const host = new Host({ orcUrl: this.url, enrolmentToken, ...settings, stateDir })
    this.#hosts.push(host)
    return host
  }
  /** Starts a Host and waits until it is ready. */
  async startedHost(options?: HostOptions): Promise<Host> {
    const host = await this.startHost(options)
    await host.logged('online')
    return host
  }

  /** Queues a command for a Host. */
  command(host: Host, name: 'pause' | 'resume', owner = this.owner): Promise<CommandQueued> {
    const path = `/api/hosts/${host.hostId}/commands`
    return manageApi(this.url, owner.token).post<CommandQueued>(path, { name })
  }

  /** Starts the killed Orc again, where it was. */
  async restartOrc(): Promise<void> {
    this.#orc = await startOrc({ ...orcOptions(this.#folder, this.#grant), port: this.#orc.port })
  }

  async revoke({ account, key }: Consumer): Promise<void> {
    const headers = { authorization: `Bearer ${account.token}` }
    const response = await fetch(`${this.url}/api/keys/${key.id}`, { method: 'DELETE', headers })
    expect(response.status).toBe(204)
  }

  async balance(account: AccountCreated): Promise<AccountView['balance']> {
    return (await manageApi(this.url, account.token).get<AccountView>('/api/account')).balance
  }
  /** What an account earned or, below zero, paid. */
  async gained(account: AccountCreated): Promise<number> {
    const { available, held } = await this.balance(account)
    return available + held - this.#grant
  }

  /** Puts everything that is finished into the book: whoever reads its own usage reads its own writes (rule S3). */
  async settle({ daisi }: Consumer): Promise<void> {
    await daisi.usage.get()
  }

  /**
   * What a Consumer paid in all. Its key is revoked first, which gives everything back that no running work holds: a
   * hold that leaked would keep this waiting for ever.
   */
  async paid(consumer: Consumer): Promise<number> {
    await this.revoke(consumer)
    await expect.poll(() => this.balance(consumer.account), { timeout: 20_000 }).toMatchObject({ held: 0 })
    return 0 - (await this.gained(consumer.account))
  }

  /** The book is whole: the sum is zero, nothing drifted, nobody is overdrawn. */
  async expectBalanced(): Promise<void> {
    const report = await manageApi(this.url, this.operator.token).get<AuditReport>('/api/audit')
    expect(report).toMatchObject({ sum: 0, drifted: 0, overdrawn: 0 })
  }

  async stop(): Promise<void> {
    await Promise.all(this.#hosts.map((host) => host[Symbol.asyncDispose]()))
    await this.#orc.kill()
    await rm(this.#folder, { recursive: true, force: true })
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }
}

/** Starts an Orc on a free port, with an operator, a Consumer and an owner of Hosts. Login codes go to `onLoginCode`. */
export async function startNetwork(
  grant = GRANT,
  onLoginCode: OrcOptions['onLoginCode'] = () => undefined,
): Promise<Network> {
  await using cleanup = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'daisi-e2e-'))
  cleanup.defer(() => rm(folder, { recursive: true, force: true }))
  const orc = await startOrc({ ...orcOptions(folder, grant), onLoginCode })
  cleanup.defer(() => orc.kill())
  const operator = await manageApi(orc.url, orc.setupToken).post<AccountCreated>('/api/setup', {
    name: 'operator',
  })
  const owner = await createAccount(orc.url, operator, 'owner')
  const consumer = await createConsumer(orc.url, await createAccount(orc.url, operator, 'consumer'))
  cleanup.move()
  return new Network(folder, grant, orc, { operator, owner, consumer })
}

function orcOptions(folder: string, grant: number): OrcOptions {
  const vars = { SIGNUP_GRANT: String(grant), RATE_LIMITS: GENEROUS_RATE_LIMITS, LOGIN_EMAIL: 'console' }
  // Hosts may reach it by proxies, on other ports than its own.
  return { stateDir: join(folder, 'orc'), port: 0, publicNames: ['127.0.0.1'], vars }
}

function createAccount(url: string, operator: AccountCreated, name: string): Promise<AccountCreated> {
  return manageApi(url, operator.token).post<AccountCreated>('/api/accounts', { name })
}

async function createConsumer(url: string, account: AccountCreated): Promise<Consumer> {
  const api = manageApi(url, account.token)
  const app = await api.post<AppCreated>('/api/apps', { name: 'app' })
  const key = await api.post<KeyCreated>(`/api/apps/${app.id}/keys`, { name: 'key' })
  const options = { baseURL: `${url}/v1`, apiKey: key.key, maxRetries: 0 }
  return { account, key, openai: new OpenAI(options), daisi: new Daisi(options) }
}
