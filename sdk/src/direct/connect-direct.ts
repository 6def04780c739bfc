import type { Daisi } from '../daisi.ts'
import type { DaisiError } from '../error.ts'
import { DirectChat, type DirectMode } from './direct-chat.ts'
import { HostLines } from './host-lines.ts'
import type { DirectOptions } from './options.ts'

/** What a Consumer knows of its Host. */
export interface DirectHost {
  readonly id: string
  readonly alias: string
  readonly endpoint: string
}

/** A Session whose requests go straight to a Host. */
export class DirectConnection {
  readonly chat: DirectChat
  readonly #lines: HostLines

  /** @internal */
  constructor(chat: DirectChat, lines: HostLines) {
    this.chat = chat
    this.#lines = lines
  }

  /** The Host that requests go to at present, as far as there is one. */
  get host(): DirectHost | undefined {
    const grant = this.#lines.line?.grant
    return grant && { id: grant.host_id, alias: grant.host_alias, endpoint: grant.endpoint }
  }

  /** The way of the last request; before the first, whether the Host answered. */
  get mode(): DirectMode {
    return this.chat.mode
  }

  /** Why it was not the direct one. */
  get failure(): DaisiError | undefined {
    return this.chat.failure
  }

  /** Ends the Session. Running answers finish; further requests throw `session_closed`. */
  async close(): Promise<void> {
    await this.#lines.close()
  }
}

/**
 * Opens a Session in which requests go straight to a Host, and through the Orc where they cannot. The Host learns your address
 * and you learn its; the Secret Key goes to the Orc only.
 *
 * @throws {DaisiError} `invalid_api_key`, `insufficient_scope`, `insufficient_credits`; with `fallback: false` also why there is
 * no Host to connect to: `no_host_available`, `connection_error`, `timeout`, `direct_unavailable`
 * @example
 * ```ts
 * const direct = await connectDirect(daisi, { model: 'daisi-nano', budget: 10_000 })
 * const answer = await direct.chat.create({ model: 'daisi-nano', messages: [{ role: 'user', content: 'Hello' }] })
 * console.log(direct.mode, answer.choices[0]?.message.content)
 * await direct.close()
 * ```
 */
export async function connectDirect(daisi: Daisi, options: DirectOptions): Promise<DirectConnection> {
  const lines = new HostLines(daisi, options, Date.now)
  const chat = new DirectChat(lines, daisi.chat, options)
  try {
    await chat.connect()
  } catch (error) {
    await lines.close().catch(() => undefined)
    throw error
  }
  return new DirectConnection(chat, lines)
}
