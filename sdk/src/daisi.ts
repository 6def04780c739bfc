import type { Session } from '@daisi/protocol/consumer'
import { Chat } from './chat.ts'
import { Models } from './models.ts'
import type { DaisiOptions } from './options.ts'
import { Sessions } from './sessions.ts'
import { Tokens } from './tokens.ts'
import { Transport } from './transport.ts'
import { UsageReport } from './usage.ts'

/**
 * A client of a DAISI network. It holds no connection and no state: make one and share it.
 *
 * @example
 * ```ts
 * const daisi = new Daisi({ baseURL: 'https://orc.example.com/v1', apiKey: 'daisi_sk_…' })
 * const answer = await daisi.chat.create({ model: 'daisi-nano', messages: [{ role: 'user', content: 'Hello' }] })
 * ```
 */
export class Daisi {
  readonly chat: Chat
  readonly models: Models
  readonly sessions: Sessions
  readonly tokens: Tokens
  readonly usage: UsageReport
  readonly #options: DaisiOptions
  readonly #transport: Transport

  /**
   * Sends nothing.
   *
   * @throws {DaisiError} `missing_credentials` without an `apiKey`, `invalid_request` if `baseURL` is no address.
   */
  constructor(options: DaisiOptions) {
    this.#options = options
    const transport = new Transport(options)
    this.#transport = transport
    this.chat = new Chat(transport)
    this.models = new Models(transport)
    this.sessions = new Sessions(transport)
    this.tokens = new Tokens(transport)
    this.usage = new UsageReport(transport)
  }

  /** @internal */
  static transportOf(daisi: Daisi): Transport {
    return daisi.#transport
  }

  /** The same client, whose requests to Hosts join this Session. A Session object brings its Network along, an id does not. */
  withSession(session: string | Session): Daisi {
    const network = typeof session === 'object' ? (session.network ?? undefined) : this.#options.network
    return new Daisi({ ...this.#options, network, session })
  }
}
