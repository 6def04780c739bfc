/** One model, as `GET /v1/models` lists it: OpenAI's fields, and what the Hosts that serve it say. */
export interface Model {
  readonly id: string
  readonly object: 'model'
  readonly created: number
  /** Always `daisi`: who owns the Hosts is not shown. */
  readonly owned_by: string
  /** Further names that at least one Host answers to. */
  readonly aliases: string[]
  /** Largest context that an online Host offers, in tokens. */
  readonly context_length: number
  /** What it can be asked for. */
  readonly kinds: ModelKind[]
  /** What it can do beyond that, such as `tools`, `json-schema` or `vision`, and on how many online Hosts. */
  readonly capabilities: Readonly<Record<string, number>>
  /** Hosts that serve it now. */
  readonly hosts_online: number
  /** How many of these have it loaded: where none has, the first answer takes longer. */
  readonly hosts_loaded: number
}

export type ModelKind = 'chat' | 'completion' | 'embedding' | 'ranking' | 'image'

/** Answer of `GET /v1/models`. */
export interface ModelList {
  readonly object: 'list'
  readonly data: Model[]
}
