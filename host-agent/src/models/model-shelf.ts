import type { ModelOffer, ModelState } from '@daisi/protocol'
import type { Clock } from '../clock.ts'
import { ModelLoadError } from '../engine/engine.ts'
import type { Logger } from '../log.ts'
import type { ModelSource } from '../engine/model-source.ts'
import { type ModelLease, ShelvedModel } from './shelved-model.ts'

export interface ModelShelfOptions {
  /** Memory that loaded models may take together, in bytes. */
  readonly budgetBytes: () => number
  /** A model that was used within this time is not unloaded for another one, so that two in turn do not push each other out. */
  readonly residenceMs: number
  /** One that does not jump. */
  readonly clock: Clock
  readonly logger: Logger
}

/** A model to work with, or why not. `model_loading`: it is on its way, and the next one may find it ready (J9). */
export type Borrowed =
  | { readonly ok: true; readonly lease: ModelLease }
  | {
      readonly ok: false
      readonly code: 'model_loading'
      readonly message: string
      readonly percent: number
      readonly retryAfterSeconds: number
    }
  | { readonly ok: false; readonly code: 'model_not_loaded' | 'busy'; readonly message: string }

/** There is room for a model as soon as `free` resolves. */
interface Room {
  readonly ok: true
  readonly free: Promise<unknown>
}

/**
 * All models of this Host. One that is asked for is loaded; where memory does not suffice, those that were unused for
 * longest go.
 */
export class ModelShelf {
  readonly #options: ModelShelfOptions
  readonly #models = new Map<string, ShelvedModel>()
  readonly #stateListeners = new Set<() => void>()
  readonly #offerListeners = new Set<() => void>()

  constructor(options: ModelShelfOptions) {
    this.#options = options
  }

  get all(): readonly ShelvedModel[] {
    return [...this.#models.values()]
  }

  get offers(): readonly ModelOffer[] {
    return this.all.map(({ offer }) => offer)
  }

  /** Of those models that are not ready to work (H11). */
  get states(): readonly ModelState[] {
    return this.all.map(({ state }) => state).filter(({ state }) => state !== 'loaded')
  }

  /** True if no model is here that could work now or after loading. */
  get isUseless(): boolean {
    return this.all.every(({ state }) => state.state === 'failed')
  }

  /** Calls `listener` when a state changes; returns the function that stops it. */
  onStateChange(listener: () => void): () => void {
    this.#stateListeners.add(listener)
    return () => this.#stateListeners.delete(listener)
  }

  /** Calls `listener` when models come or go; returns the function that stops it. */
  onOffersChange(listener: () => void): () => void {
    this.#offerListeners.add(listener)
    return () => this.#offerListeners.delete(listener)
  }

  find(name: string): ShelvedModel | undefined {
    return this.#models.get(name) ?? this.all.find(({ offer }) => offer.aliases?.includes(name) === true)
  }

  /** Adds a model, not loaded. False if another one has its id or one of its names. */
  add(source: ModelSource): boolean {
    const names = [source.offer.id, ...(source.offer.aliases ?? [])]
    if (names.some((name) => this.find(name) !== undefined)) return false
    const { clock, logger } = this.#options
    const model = new ShelvedModel(source, clock, () => {
      const { state, ...facts } = model.state
      logger.debug({ event: 'model', state, model: facts.id, percent: facts.percent }, 'model')
      tell(this.#stateListeners)
    })
    this.#models.set(source.offer.id, model)
    tell(this.#offerListeners)
    return true
  }

  /** Takes a model away. Jobs that work with it fail at once. False if there is none. */
  async remove(id: string): Promise<boolean> {
    const model = this.#models.get(id)
    if (model === undefined) return false
    this.#models.delete(id)
    tell(this.#offerListeners)
    await model.unload()
    return true
  }

  /** A lease if the model is ready. If it is not, it is loaded for the next one who asks. */
  borrow(model: ShelvedModel): Borrowed {
    const lease = model.lease()
    if (lease !== undefined) return { ok: true, lease }
    const { id } = model.offer
    if (model.isResting)
      return { ok: false, code: 'model_not_loaded', message: `${id} could not be loaded here` }
    if (!model.isLoadedOrLoading) {
      const room = this.#makeRoom(model)
      if (!room.ok) return room
      void this.#loadInBackground(model, room.free)
    }
    const { percent = 0 } = model.state
    const retryAfterSeconds = model.secondsLeft
    return { ok: false, code: 'model_loading', message: `${id} is being loaded`, percent, retryAfterSeconds }
  }

  /** Loads a model ahead of need. Throws `ModelLoadError`, also where there is no room. */
  async preload(model: ShelvedModel): Promise<void> {
    if (model.isLoadedOrLoading) return model.load()
    const room = this.#makeRoom(model)
    if (!room.ok) throw new ModelLoadError('not_enough_memory', room.message)
    await model.load(room.free)
  }

  /** Loads, one after the other, what fits beside what is loaded already. Failures are logged. */
  async warmUp(): Promise<void> {
    for (const model of this.all) {
      if (model.isLoadedOrLoading || model.source.memoryBytes > this.#freeBytes()) continue
      await this.#loadInBackground(model, Promise.resolve())
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.all.map((model) => model.unload()))
  }

  /** Unloads what was unused for longest until the model fits, or says why that cannot be. */
  #makeRoom(model: ShelvedModel): Room | Exclude<Borrowed, { ok: true }> {
    const { clock, residenceMs, logger } = this.#options
    const needed = model.source.memoryBytes
    const { id } = model.offer
    let free = this.#freeBytes()
    if (needed <= free) return { ok: true, free: Promise.resolve() }
    const nowMs = clock.now()
    const movable = this.all
      .filter((other) => other !== model && other.isLoadedOrLoading && other.source.memoryBytes > 0)
      .toSorted((a, b) => a.usedAtMs - b.usedAtMs)
    const total = free + movable.reduce((sum, other) => sum + other.source.memoryBytes, 0)
    if (needed > total) {
      const message = `${id} needs ${megabytes(needed)} MB and models may take ${megabytes(total)} MB here; give them more memory, or choose a smaller model or context`
      return { ok: false, code: 'model_not_loaded', message }
    }
    const leaving: ShelvedModel[] = []
    for (const other of movable) {
      if (needed <= free) break
      if (other.users > 0 || nowMs - other.usedAtMs < residenceMs) continue
      leaving.push(other)
      free += other.source.memoryBytes
    }
    if (needed > free)
      return {
        ok: false,
        code: 'busy',
        message: `other models are at work; ${id} has to wait for its memory`,
      }
    const unload = (other: ShelvedModel): Promise<void> => {
      logger.info({ event: 'model-unloaded', model: other.offer.id, for: id }, 'unloaded to make room')
      return other.unload()
    }
    return { ok: true, free: Promise.all(leaving.map(unload)) }
  }

  #freeBytes(): number {
    const taken = this.all
      .filter((model) => model.isLoadedOrLoading)
      .reduce((sum, model) => sum + model.source.memoryBytes, 0)
    return this.#options.budgetBytes() - taken
  }

  async #loadInBackground(model: ShelvedModel, free: Promise<unknown>): Promise<void> {
    const { logger } = this.#options
    await model.load(free).catch((error: unknown) => {
      logger.error(
        { event: 'model-failed', model: model.offer.id, err: error },
        'a model could not be loaded',
      )
    })
  }
}

function tell(listeners: ReadonlySet<() => void>): void {
  for (const listener of listeners) listener()
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1024 / 1024)
}
