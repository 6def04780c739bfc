import type { BrowserToken, BrowserTokenRequest } from '@daisi/protocol/consumer'
import type { RequestOptions } from './options.ts'
import type { Transport } from './transport.ts'

/** Short-lived tokens for pages, made by the server that holds the Secret Key: `daisi.tokens`. */
export class Tokens {
  readonly #transport: Transport

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport
  }

  /**
   * Makes a token that pages of these origins use as their `apiKey`. It can do no more than the key that makes it.
   *
   * @throws {DaisiError} `insufficient_scope` if the key may not make tokens, `invalid_request` with the field in `param`.
   * @example
   * ```ts
   * const { token } = await daisi.tokens.create({ origins: ['https://app.example.com'], budget: 5_000, ttl_seconds: 900 })
   * ```
   */
  async create(request: BrowserTokenRequest, options?: RequestOptions): Promise<BrowserToken> {
    const call = { method: 'POST', path: '/tokens', body: request } as const
    return await this.#transport.json(call, 'browser_token', options)
  }
}
