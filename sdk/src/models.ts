import type { Model, ModelList } from '@daisi/protocol/consumer'
import { pathSegment } from './base-url.ts'
import type { RequestOptions } from './options.ts'
import type { Transport } from './transport.ts'

/** What the Network serves: `daisi.models`. */
export class Models {
  readonly #transport: Transport

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport
  }

  /**
   * The models of the Network.
   *
   * @example
   * ```ts
   * for (const { id, hosts_online } of await daisi.models.list()) console.log(id, hosts_online)
   * ```
   */
  async list(options?: RequestOptions): Promise<readonly Model[]> {
    const { data } = await this.#transport.json<ModelList>(
      { method: 'GET', path: '/models' },
      'list',
      options,
    )
    return data
  }

  /**
   * One model.
   *
   * @throws {DaisiError} `not_found` if the Network does not serve it.
   */
  async get(id: string, options?: RequestOptions): Promise<Model> {
    return await this.#transport.json({ method: 'GET', path: `/models/${pathSegment(id)}` }, 'model', options)
  }
}
