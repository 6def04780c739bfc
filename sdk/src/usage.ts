import type { Usage } from '@daisi/protocol/consumer'
import type { RequestOptions } from './options.ts'
import type { Transport } from './transport.ts'

/** What was processed and paid: `daisi.usage`. */
export class UsageReport {
  readonly #transport: Transport

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport
  }

  /**
   * Totals of this key on this Network and the balance of its account, everything finished included.
   *
   * @example
   * ```ts
   * const { totals, balance } = await daisi.usage.get()
   * console.log(`${totals.credits} credits spent, ${balance.available} left`)
   * ```
   */
  async get(options?: RequestOptions): Promise<Usage> {
    return await this.#transport.json({ method: 'GET', path: '/usage' }, 'usage', options)
  }
}
