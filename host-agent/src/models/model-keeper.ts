import type { Catalogue } from '@daisi/protocol'
import { ModelLoadError } from '../engine/engine.ts'
import type { Logger } from '../log.ts'
import { DONE, type Outcome } from '../outcome.ts'
import { type AddedModel, addModel, type ModelOrder, type ModelStore, orderOf } from '../store/add-model.ts'
import type { RegisteredModel } from '../store/model-registry.ts'
import type { DownloadProgress } from '../store/progress-meter.ts'
import { verifyModel } from '../store/verify-model.ts'
import type { ModelShelf } from './model-shelf.ts'
import type { ModelSource } from '../engine/model-source.ts'
import type { RemoteModels } from './remote-models.ts'

/** Models that may be on their way at once because an Orc asked for them. */
export const MOST_FROM_AFAR = 4

/** A model file and what is known about it. */
export type ServedFile = Pick<
  RegisteredModel,
  'id' | 'aliases' | 'path' | 'sha256' | 'kinds' | 'contextLength' | 'defaultSampling'
>

export interface ModelKeeperOptions {
  readonly shelf: ModelShelf
  readonly store: ModelStore
  /** Looks into a file. Throws `ModelLoadError`. */
  readonly createSource: (file: ServedFile, signal: AbortSignal) => Promise<ModelSource>
  readonly readCatalogue: (orcUrl: string, signal: AbortSignal) => Promise<Catalogue>
  /** Orcs whose catalogues are looked into for a name. */
  readonly orcUrls: readonly string[]
  readonly logger: Logger
}

/** Keeps the models that this Host serves on disk and on the shelf the same. */
export class ModelKeeper implements RemoteModels {
  readonly #options: ModelKeeperOptions
  readonly #stop = new AbortController()
  readonly #working = new Set<Promise<unknown>>()
  #fromAfar = 0

  constructor(options: ModelKeeperOptions) {
    this.#options = options
  }

  /** Puts every registered model on the shelf. One that cannot be served is logged and left out. */
  async open(): Promise<void> {
    const { store, logger } = this.#options
    for (const model of await store.registry.list()) {
      const verified = await verifyModel(store.stateFolder, model)
      const problem = verified.ok ? await this.serve(model) : verified.message
      if (problem !== undefined) logger.error({ event: 'model-failed', model: model.id }, problem)
    }
  }

  /** Puts a file on the shelf, registered or not; returns what is wrong with it. */
  async serve(file: ServedFile): Promise<string | undefined> {
    const { shelf, createSource } = this.#options
    try {
      const source = await createSource(file, this.#stop.signal)
      return shelf.add(source) ? undefined : `another model is called ${file.id}, or by one of its aliases`
    } catch (error) {
      if (error instanceof ModelLoadError) return error.message
      throw error
    }
  }

  /** Gets a model, and serves it from now on. */
  async add(
    order: ModelOrder,
    signal: AbortSignal,
    onProgress?: (progress: DownloadProgress) => void,
  ): Promise<AddedModel> {
    const { store, shelf } = this.#options
    const either = AbortSignal.any([signal, this.#stop.signal])
    const added = await this.#track(addModel(order, store, either, onProgress))
    if (!added.ok) return added
    const { model } = added
    if (shelf.find(model.id)?.offer.sha256 === model.sha256) return added
    const problem = await this.serve(model)
    if (problem === undefined) return added
    await store.registry.remove(model.id, undefined)
    return { ok: false, code: 'model_unusable', message: problem }
  }

  /** What to fetch for a name that stands in the catalogue of one of the Orcs; undefined if it stands in none that answers. */
  async findInCatalogues(name: string): Promise<ModelOrder | undefined> {
    const { readCatalogue, orcUrls } = this.#options
    const read = await Promise.allSettled(orcUrls.map((url) => readCatalogue(url, this.#stop.signal)))
    const entries = read.flatMap((result) => (result.status === 'fulfilled' ? result.value.models : []))
    const entry = entries.find(({ id, aliases }) => id === name || aliases.includes(name))
    const parsed = entry === undefined ? undefined : orderOf(entry)
    return parsed !== undefined && 'order' in parsed ? parsed.order : undefined
  }

  async beginAddFromCatalogue(
    orcUrl: string,
    wanted: { readonly id: string; readonly sha256: string },
  ): Promise<Outcome<undefined>> {
    const { readCatalogue, logger } = this.#options
    if (this.#fromAfar >= MOST_FROM_AFAR) {
      const message = `${MOST_FROM_AFAR} models are being downloaded for Orcs already; ask again when one of them is there`
      return { ok: false, code: 'too_many_downloads', message }
    }
    const { models } = await readCatalogue(orcUrl, this.#stop.signal)
    const entry = models.find(({ id, sha256 }) => id === wanted.id && sha256 === wanted.sha256)
    if (entry === undefined) {
      const message = `the catalogue of ${orcUrl} has no ${wanted.id} with this hash; look there for what it has now`
      return { ok: false, code: 'not_in_catalogue', message }
    }
    const parsed = orderOf(entry)
    if (!parsed.ok) return parsed
    const report = (added: AddedModel): void => {
      if (added.ok) logger.info({ event: 'model-added', model: wanted.id }, 'a model was added from afar')
      else logger.error({ event: 'model-failed', model: wanted.id, code: added.code }, added.message)
    }
    this.#fromAfar++
    const added = this.add(parsed.order, this.#stop.signal).then(report, (error: unknown) =>
      logger.error({ event: 'model-failed', model: wanted.id, err: error }, 'a model could not be added'),
    )
    void this.#track(added.finally(() => this.#fromAfar--))
    return DONE
  }

  async remove(name: string, { deleteFile }: { readonly deleteFile: boolean }): Promise<Outcome<undefined>> {
    const { store, shelf } = this.#options
    const registered = await store.registry.find(name)
    if (registered === undefined && shelf.find(name) !== undefined) {
      const message = `${name} is not one of the added models; take it from the command line, or from its server`
      return { ok: false, code: 'not_added', message }
    }
    const { id } = registered ?? { id: name }
    await shelf.remove(id)
    const removed = await store.registry.remove(id, deleteFile ? store.modelsFolder : undefined)
    return removed.ok ? DONE : removed
  }

  /** Gives up what is under way. What was downloaded is kept for the next time. */
  async close(): Promise<void> {
    this.#stop.abort()
    await Promise.allSettled(this.#working)
  }

  async #track<Value>(work: Promise<Value>): Promise<Value> {
    this.#working.add(work)
    try {
      return await work
    } finally {
      this.#working.delete(work)
    }
  }
}
