import type { AccountCreated, AppCreated, AuditReport, KeyCreated } from '@daisi/protocol'
import { type ManageApi, manageApi } from '../../orc-local/src/manage-api.ts'
import { shellWords } from './demo.ts'
import { HOST_PROGRAM, ORC_PROGRAM } from './paths.ts'
import { Program } from './program.ts'

/** `daisi-orc` of a LAN, as its operator starts it. */
export class LanOrc extends Program {
  readonly url: string

  private constructor(stateDir: string, port: number) {
    const address = `127.0.0.1:${port}`
    super(ORC_PROGRAM, [
      '--listen',
      address,
      '--tls',
      '--private',
      '--state',
      stateDir,
      '--signup-grant',
      '100000',
    ])
    this.url = `https://${address}`
  }

  /** Starts one, and waits until it serves. */
  static async start(stateDir: string, port: number): Promise<LanOrc> {
    const orc = new LanOrc(stateDir, port)
    await orc.printed(() => orc.out.some((line) => line.startsWith('    npx daisi-host run')))
    return orc
  }

  /** The fingerprint that it prints for people. */
  get fingerprint(): string {
    return this.#word(/fingerprint (\S+)/)
  }

  /** The same, as it stands in the command that it prints for Hosts. */
  get pin(): string {
    return this.#word(/--pin (\S+) --model/)
  }

  /** Runs the command that it prints for its operator. Answers their token. */
  async setUp(): Promise<string> {
    await this.printed(() => this.out.some((line) => line.includes('daisi-orc setup')))
    const command = shellWords(this.out.find((line) => line.includes('daisi-orc setup')) ?? '')
    const setup = new Program(ORC_PROGRAM, command.slice(command.indexOf('setup')))
    const { code } = await setup.exited
    if (code !== 0) throw new Error(setup.tail)
    return setup.out.find((line) => line.includes('daisi_at_'))?.trim() ?? ''
  }

  api(token: string): ManageApi {
    return manageApi(this.url, token, this.pin)
  }

  /** What the audit counts as wrong, all of it together. */
  async faults(operatorToken: string): Promise<number> {
    const report = await this.api(operatorToken).get<AuditReport>('/api/audit')
    const { sum, drifted, overdrawn, misplaced, unexplained, open_anomalies: anomalies } = report
    return Math.abs(sum) + drifted + overdrawn + misplaced + unexplained + anomalies
  }

  #word(pattern: RegExp): string {
    const word = pattern.exec(this.out.join('\n'))?.[1]
    if (word === undefined) throw new Error(`it did not print ${pattern.source}\n${this.tail}`)
    return word
  }
}

/** Makes an account. */
export function newAccount(orc: LanOrc, operatorToken: string, name: string): Promise<AccountCreated> {
  return orc.api(operatorToken).post<AccountCreated>('/api/accounts', { name })
}

/** Makes a key for these Networks. */
export async function newKey(api: ManageApi, networks: readonly string[]): Promise<KeyCreated> {
  const app = await api.post<AppCreated>('/api/apps', { name: 'app' })
  return api.post<KeyCreated>(`/api/apps/${app.id}/keys`, { name: 'key', networks })
}

/** `daisi-host login`, and what it says to scripts. */
export class Login extends Program {
  constructor(args: readonly string[]) {
    super(HOST_PROGRAM, ['login', ...args, '--json'])
  }

  /** Resolves with its next word of this kind. */
  async said(event: string): Promise<Readonly<Record<string, unknown>>> {
    const find = (): Record<string, unknown> | undefined =>
      this.out
        .map((line): Record<string, unknown> => JSON.parse(line))
        .find((said) => said['event'] === event)
    await this.printed(() => find() !== undefined)
    return find() ?? {}
  }
}
