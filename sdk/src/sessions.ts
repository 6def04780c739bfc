import type { DirectGrant, DirectRequest, Session, SessionRequest } from '@daisi/protocol/consumer'
import { pathSegment } from './base-url.ts'
import type { RequestOptions } from './options.ts'
import type { Transport } from './transport.ts'

/** Sessions with a budget and an end of their own: `daisi.sessions`. Only the key that opened one can see it. */
export class Sessions {
  readonly #transport: Transport

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport
  }

  /**
   * Opens a Session.
   *
   * @example
   * ```ts
   * const session = await daisi.sessions.create({ budget: 10_000, ttl_seconds: 600 })
   * const answer = await daisi.withSession(session).chat.create({ model: 'daisi-nano', messages })
   * await daisi.sessions.close(session.id)
   * ```
   */
  async create(request: SessionRequest = {}, options?: RequestOptions): Promise<Session> {
    // Header and body say the same, whichever of them names the Network.
    const network = request.network ?? options?.network
    const call = { method: 'POST', path: '/sessions', body: { ...request, network } } as const
    return await this.#transport.json(call, 'session', { ...options, network })
  }

  /**
   * What a Session is and has used.
   *
   * @throws {DaisiError} `not_found`
   */
  async get(id: string, options?: RequestOptions): Promise<Session> {
    return await this.#transport.json(
      { method: 'GET', path: `/sessions/${pathSegment(id)}` },
      'session',
      options,
    )
  }

  /**
   * Asks for a Host to connect to, in a Session of mode `direct`. `connectDirect` of `daisi-sdk/direct` does this by itself.
   *
   * @throws {DaisiError} `no_host_available` if no Host offers Direct Connections for the model
   */
  async requestHost(id: string, request: DirectRequest, options?: RequestOptions): Promise<DirectGrant> {
    const call = { method: 'POST', path: `/sessions/${pathSegment(id)}/direct`, body: request } as const
    return await this.#transport.json(call, 'direct_grant', options)
  }

  /**
   * Closes a Session: running requests finish, further ones are refused with `session_closed`.
   *
   * @throws {DaisiError} `not_found`
   */
  async close(id: string, options?: RequestOptions): Promise<Session> {
    return await this.#transport.json(
      { method: 'DELETE', path: `/sessions/${pathSegment(id)}` },
      'session',
      options,
    )
  }
}
