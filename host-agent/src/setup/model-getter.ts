import type { CatalogueEntry } from '@daisi/protocol'
import type { ControlClient } from '../control/control-client.ts'
import { ExitCode, FatalError } from '../exit-codes.ts'
import { addModel, type ModelOrder, type ModelStore, orderOf } from '../store/add-model.ts'
import { parseModelReference, referenceText } from '../store/model-reference.ts'
import type { DownloadProgress } from '../store/progress-meter.ts'

/** Gets models onto this machine and into its registry: by the running agent where there is one, which serves them at once. */
export class ModelGetter {
  readonly #store: ModelStore
  readonly #agent: ControlClient | undefined

  constructor(store: ModelStore, agent: ControlClient | undefined) {
    this.#store = store
    this.#agent = agent
  }

  /** Its id. Throws a `FatalError`; `interrupted` keeps what has arrived. */
  async get(
    wanted: CatalogueEntry | string,
    onProgress: (progress: DownloadProgress) => void,
    signal: AbortSignal,
  ): Promise<string> {
    const order = orderFor(wanted)
    if (this.#agent !== undefined) return this.#ask(this.#agent, order, onProgress, signal)
    const added = await addModel(order, this.#store, signal, onProgress)
    if (!added.ok) throw failure(added.code, added.message)
    return added.model.id
  }

  async #ask(
    agent: ControlClient,
    { reference, id, aliases = [], expectedSha256: sha256 }: ModelOrder,
    onProgress: (progress: DownloadProgress) => void,
    signal: AbortSignal,
  ): Promise<string> {
    const names = { ...(id !== undefined && { id }), aliases: [...aliases] }
    const request = { reference: referenceText(reference), ...names, ...(sha256 !== undefined && { sha256 }) }
    const added = await agent.addModel(
      request,
      ({ etaSeconds, ...progress }) =>
        onProgress({ ...progress, ...(etaSeconds !== undefined && { etaSeconds }) }),
      signal,
    )
    return added.id
  }
}

function orderFor(wanted: CatalogueEntry | string): ModelOrder {
  if (typeof wanted !== 'string') {
    const found = orderOf(wanted)
    if (!found.ok) throw failure(found.code, found.message)
    return found.order
  }
  const parsed = parseModelReference(wanted)
  if (!parsed.ok) throw failure(parsed.code, parsed.message)
  return { reference: parsed.reference }
}

function failure(code: string, message: string): FatalError {
  return new FatalError(code === 'interrupted' ? ExitCode.Interrupted : ExitCode.Model, code, message)
}
