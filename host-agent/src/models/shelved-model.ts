import type { ModelOffer, ModelState } from '@daisi/protocol'
import type { Clock } from '../clock.ts'
import { type Engine, ModelLoadError } from '../engine/engine.ts'
import { SpeedMeter } from './speed-meter.ts'
import type { ModelSource } from '../engine/model-source.ts'

/** Bytes that are loaded in a second, where nothing was measured yet: a slow disk. */
const ASSUMED_BYTES_PER_SECOND = 200 * 1024 * 1024

/** Steps in which progress is told: fewer messages, and nobody sees the difference. */
const PERCENT_STEP = 5

/** After a failure a model is not tried again for this long. */
export const LOAD_RETRY_MS = 60_000

/** The right to work with a loaded model. It stays loaded until `release`, which may be called again. */
export interface ModelLease {
  readonly model: ShelvedModel
  readonly engine: Engine
  readonly release: () => void
}

/** One model of this Host, and its engine while it is loaded. */
export class ShelvedModel {
  readonly source: ModelSource
  readonly speed = new SpeedMeter()
  readonly #clock: Clock
  readonly #changed: () => void
  #engine: Engine | undefined
  #unsubscribe: (() => void) | undefined
  #loading: { readonly done: Promise<Engine>; readonly abort: AbortController } | undefined
  #percent = 0
  #loadStartedMs = 0
  #loadTookMs: number | undefined
  #failure: { readonly error: ModelLoadError; readonly atMs: number } | undefined
  #users = 0
  #usedAtMs: number

  /** `changed` is called whenever `state` changes. The clock must not jump. */
  constructor(source: ModelSource, clock: Clock, changed: () => void) {
    this.source = source
    this.#clock = clock
    this.#changed = changed
    this.#usedAtMs = clock.now()
  }

  get offer(): ModelOffer {
    return this.source.offer
  }

  get state(): ModelState {
    const { id } = this.offer
    if (this.#engine !== undefined) return { id, state: this.#engine.ready ? 'loaded' : 'loading' }
    if (this.#loading !== undefined) return { id, state: 'loading', percent: this.#percent }
    return { id, state: this.#failure === undefined ? 'unloaded' : 'failed' }
  }

  /** Why it could not be loaded the last time. */
  get failure(): ModelLoadError | undefined {
    return this.#failure?.error
  }

  /** True while a failure is too fresh to try again. */
  get isResting(): boolean {
    return this.#failure !== undefined && this.#clock.now() - this.#failure.atMs < LOAD_RETRY_MS
  }

  get isLoadedOrLoading(): boolean {
    return this.#engine !== undefined || this.#loading !== undefined
  }

  /** Jobs that work with it. */
  get users(): number {
    return this.#users
  }

  /** When it was last used, loaded or added. */
  get usedAtMs(): number {
    return this.#usedAtMs
  }

  /** Seconds until it is loaded, as far as can be told; at least 1. */
  get secondsLeft(): number {
    const whole = this.#loadTookMs ?? (this.source.memoryBytes / ASSUMED_BYTES_PER_SECOND) * 1000
    const passed = this.#loading === undefined ? 0 : this.#clock.now() - this.#loadStartedMs
    const byProgress = this.#percent > 0 ? (passed / this.#percent) * (100 - this.#percent) : whole - passed
    return Math.min(3_600, Math.max(1, Math.ceil(byProgress / 1000)))
  }

  /** A lease if it is ready to work, else undefined. */
  lease(): ModelLease | undefined {
    const engine = this.#engine
    if (engine?.ready !== true) return undefined
    this.#users++
    this.#usedAtMs = this.#clock.now()
    let held = true
    const release = (): void => {
      if (!held) return
      held = false
      this.#users--
      this.#usedAtMs = this.#clock.now()
    }
    return { model: this, engine, release }
  }

  /** Makes it ready, when its memory is `free`; once, however often this is called meanwhile. Throws `ModelLoadError`. */
  async load(free: Promise<unknown> = Promise.resolve()): Promise<void> {
    if (this.#engine !== undefined) return
    this.#loading ??= this.#startLoading(free)
    await this.#loading.done
  }

  /** Frees its memory. What still works with it fails, so callers look at `users` first. */
  async unload(): Promise<void> {
    const loading = this.#loading
    loading?.abort.abort()
    await loading?.done.catch(() => {})
    const engine = this.#engine
    this.#engine = undefined
    this.#unsubscribe?.()
    this.#changed()
    await engine?.close()
  }

  #startLoading(free: Promise<unknown>): { readonly done: Promise<Engine>; readonly abort: AbortController } {
    const abort = new AbortController()
    this.#percent = 0
    this.#loadStartedMs = this.#clock.now()
    this.#failure = undefined
    const done = free
      .then(() => {
        abort.signal.throwIfAborted()
        return this.source.open((percent) => this.#progress(percent), abort.signal)
      })
      .then(
        (engine) => this.#loaded(engine),
        (error: unknown) => this.#failed(error),
      )
    done.catch(() => {})
    this.#loading = { done, abort }
    this.#changed()
    return this.#loading
  }

  #progress(percent: number): void {
    const step = Math.floor(Math.min(100, Math.max(0, percent)) / PERCENT_STEP) * PERCENT_STEP
    if (step === this.#percent) return
    this.#percent = step
    this.#changed()
  }

  #loaded(engine: Engine): Engine {
    this.#loading = undefined
    this.#engine = engine
    this.#usedAtMs = this.#clock.now()
    this.#loadTookMs = this.#usedAtMs - this.#loadStartedMs
    this.#unsubscribe = engine.onReadyChange(this.#changed)
    this.#changed()
    return engine
  }

  #failed(cause: unknown): never {
    const wasGivenUp = this.#loading?.abort.signal.aborted === true
    this.#loading = undefined
    const error =
      cause instanceof ModelLoadError
        ? cause
        : new ModelLoadError(
            'model_load_failed',
            cause instanceof Error ? cause.message : 'unknown error',
            cause,
          )
    if (!wasGivenUp) this.#failure = { error, atMs: this.#clock.now() }
    this.#changed()
    throw error
  }
}
