import type { Engine, EngineEvent, EngineInfo, EngineJob, EngineRun } from '../engine/engine.ts'
import { EventQueue } from '../engine/event-queue.ts'

/** One run of a `ScriptedEngine`: the test says what happens in it. */
export class ScriptedRun {
  readonly job: EngineJob
  readonly signal: AbortSignal
  readonly events = new EventQueue<EngineEvent>()
  readonly grants: number[] = []
  #prompt = { promptTokens: 5, cachedTokens: 0 }
  #generated = 0

  constructor(job: EngineJob, signal: AbortSignal) {
    this.job = job
    this.signal = signal
    signal.addEventListener('abort', () => this.end('cancelled'), { once: true })
  }

  start(promptTokens = 5, cachedTokens = 0): this {
    this.#prompt = { promptTokens, cachedTokens }
    this.events.push({ type: 'start', ...this.#prompt })
    return this
  }

  delta(text: string, ...tokenIds: number[]): this {
    this.#generated += tokenIds.length
    this.events.push({ type: 'delta', text, tokenIds })
    return this
  }

  end(finishReason: 'stop' | 'length' | 'cancelled' = 'stop'): void {
    this.push({ type: 'end', finishReason, usage: { ...this.#prompt, generatedTokens: this.#generated } })
  }

  /** An event that ends the run. */
  push(event: EngineEvent): void {
    this.events.push(event)
    this.events.end()
  }
}

/** An engine without a model. `next` resolves with each run, in order. */
export class ScriptedEngine implements Engine {
  readonly info: EngineInfo
  ready = true
  readonly #listeners = new Set<() => void>()
  readonly #started = new EventQueue<ScriptedRun>()
  readonly #runs = this.#started[Symbol.asyncIterator]()

  constructor(slots = 2) {
    this.info = {
      contextLength: 100,
      sizeBytes: 1000,
      slots,
      kinds: ['chat'],
      capabilities: ['token-ids', 'continuation'],
    }
  }

  async next(): Promise<ScriptedRun> {
    const { value } = await this.#runs.next()
    if (value === undefined) throw new Error('no more runs')
    return value
  }

  setReady(ready: boolean): void {
    this.ready = ready
    for (const listener of this.#listeners) listener()
  }

  onReadyChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  run(job: EngineJob, signal: AbortSignal): EngineRun {
    const run = new ScriptedRun(job, signal)
    this.#started.push(run)
    return {
      grant: (bytes) => run.grants.push(bytes),
      [Symbol.asyncIterator]: () => run.events[Symbol.asyncIterator](),
    }
  }

  async close(): Promise<void> {}
}
