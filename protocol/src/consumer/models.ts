/** One model, as `GET /v1/models` lists it. */
export interface Model {
  readonly id: string
  readonly object: 'model'
  readonly created: number
  /** Always `daisi`: who owns the Hosts is not shown. */
  readonly owned_by: string
  /** Largest context that an online Host offers, in tokens. */
  readonly context_length: number
  /** Hosts that serve it now. */
  readonly hosts_online: number
}

/** Answer of `GET /v1/models`. */
export interface ModelList {
  readonly object: 'list'
  readonly data: readonly Model[]
}
