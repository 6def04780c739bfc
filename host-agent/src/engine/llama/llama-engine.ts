import { type ChildProcess, fork } from 'node:child_process'
import type { Logger } from 'pino'
import { Backoff } from '../../backoff.ts'
import {
  type Engine,
  type EngineEvent,
  type EngineInfo,
  type EngineJob,
  type EngineRun,
  ModelLoadError,
} from '../engine.ts'
import { EventQueue } from '../event-queue.ts'
import type { LoadOptions } from './load-options.ts'
import { processEnvironment, processPath } from './process-path.ts'
import type { FromEngine, ToEngine } from './wire.ts'

/**
 * Native work of the process goes through one thread. llama.cpp sorts its logits when they are first read, and the library
 * reads those of all sequences of a batch at once, each on a thread of libuv's pool: with more than one, answers that run
 * side by side now and then take each other's tokens. The computing itself has its own threads and is not slowed down.
 */
const PROCESS_ENVIRONMENT = { UV_THREADPOOL_SIZE: '1' }

/** A process that does not end by itself in this time is killed. */
const CLOSE_DEADLINE_MS = 2_000

/** A process that lived this long is started again soon; one that keeps dying is given growing pauses. */
const STABLE_MS = 60_000

/** Failures to load again in a row after which the owner is told that waiting will not help. */
const TELLING_FAILURES = 3

/** Characters of a crashed process's last output that are worth logging. */
const STDERR_TAIL_CHARACTERS = 1_000

/**
 * A model in a process of its own. When that process dies, its jobs fail at once and it is started again, with growing
 * pauses if it dies again.
 */
export class LlamaEngine implements Engine {
  readonly #options: LoadOptions
  readonly #logger: Logger
  readonly #onProgress: (percent: number) => void
  readonly #runs = new Map<number, EventQueue<EngineEvent>>()
  readonly #listeners = new Set<() => void>()
  readonly #backoff = new Backoff()
  #info: EngineInfo | undefined
  #child: ChildProcess | undefined
  #ready = false
  #closed = false
  /** 0 until the present process has loaded the model. */
  #readyAt = 0
  #nextId = 0
  #failures = 0
  #restart: NodeJS.Timeout | undefined

  private constructor(options: LoadOptions, logger: Logger, onProgress: (percent: number) => void) {
    this.#options = options
    this.#logger = logger
    this.#onProgress = onProgress
  }

  /**
   * Starts the process and loads the model. `onProgress` hears 0 to 100, also when the model is loaded again later. Throws
   * `ModelLoadError`; aborting the signal gives the loading up.
   */
  static async open(
    options: LoadOptions,
    logger: Logger,
    onProgress: (percent: number) => void = () => {},
    signal?: AbortSignal,
  ): Promise<LlamaEngine> {
    const engine = new LlamaEngine(options, logger, onProgress)
    const giveUp = (): void => void engine.#child?.kill('SIGKILL')
    signal?.addEventListener('abort', giveUp, { once: true })
    try {
      if (signal?.aborted === true) throw new Error('not started')
      await engine.#start()
      return engine
    } catch (error) {
      await engine.close()
      if (signal?.aborted !== true) throw error
      throw new ModelLoadError('model_load_failed', 'loading the model was given up', signal.reason)
    } finally {
      signal?.removeEventListener('abort', giveUp)
    }
  }

  get info(): EngineInfo {
    if (this.#info === undefined) throw new Error('the engine is not open')
    return this.#info
  }

  get ready(): boolean {
    return this.#ready
  }

  /** The engine process, for tests that end it. */
  get processId(): number | undefined {
    return this.#child?.pid
  }

  onReadyChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  run(job: EngineJob, signal: AbortSignal): EngineRun {
    const id = this.#nextId++
    const events = new EventQueue<EngineEvent>()
    if (!this.#ready) {
      const message = 'the model is being loaded again; try another Host'
      events.push({ type: 'refused', refusal: { code: 'model_not_loaded', message } })
      events.end()
    } else {
      this.#runs.set(id, events)
      this.#send({ type: 'run', id, job })
      if (signal.aborted) this.#send({ type: 'cancel', id })
      else signal.addEventListener('abort', () => this.#send({ type: 'cancel', id }), { once: true })
    }
    return {
      grant: (bytes) => this.#send({ type: 'grant', id, bytes }),
      [Symbol.asyncIterator]: () => events[Symbol.asyncIterator](),
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#restart)
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    this.#send({ type: 'close' })
    const timer = setTimeout(() => child.kill('SIGKILL'), CLOSE_DEADLINE_MS)
    await exited
    clearTimeout(timer)
  }

  #start(): Promise<void> {
    const child = fork(processPath('engine-process'), {
      serialization: 'advanced',
      execArgv: [],
      env: { ...processEnvironment(), ...PROCESS_ENVIRONMENT },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    this.#child = child
    let stderrTail = ''
    child.stderr?.on('data', (chunk: Buffer) => {
      stderrTail = (stderrTail + chunk.toString()).slice(-STDERR_TAIL_CHARACTERS)
    })
    return new Promise((resolve, reject) => {
      child.on('message', (message) => this.#receive(message as FromEngine, resolve, reject))
      child.on('error', (error) => reject(this.#processError(`it cannot be started (${error.message})`)))
      child.on('exit', (code, signal) => {
        reject(this.#processError(`it ended (${signal ?? code}) while it loaded the model`))
        this.#onExit(child, signal ?? String(code), stderrTail)
      })
      this.#send({ type: 'load', options: this.#options })
    })
  }

  #receive(received: FromEngine, onLoaded: () => void, onFailed: (error: ModelLoadError) => void): void {
    switch (received.type) {
      case 'progress':
        return this.#onProgress(received.percent)
      case 'loaded':
        this.#info = received.info
        this.#readyAt = performance.now()
        this.#failures = 0
        this.#setReady(true)
        return onLoaded()
      case 'load-failed':
        return onFailed(new ModelLoadError(received.code, received.message))
      case 'events':
        for (const { id, event } of received.events) this.#deliver(id, event)
        return
    }
  }

  #processError(what: string): ModelLoadError {
    const message = `the process for ${this.#options.modelPath} failed: ${what}; if this repeats, the model may need more memory than there is: choose a smaller one`
    return new ModelLoadError('model_load_failed', message)
  }

  #onExit(child: ChildProcess, reason: string, stderrTail: string): void {
    if (child !== this.#child) return
    this.#setReady(false)
    for (const id of this.#runs.keys())
      this.#deliver(id, { type: 'failed', message: 'the engine process ended unexpectedly' })
    if (this.#closed || this.#info === undefined) return
    if (this.#readyAt > 0 && performance.now() - this.#readyAt >= STABLE_MS) this.#backoff.reset()
    this.#readyAt = 0
    const delayMs = this.#backoff.next()
    this.#logger.error(
      { reason, stderrTail, delayMs },
      'the engine process ended unexpectedly; it will be started again',
    )
    this.#restart = setTimeout(() => {
      this.#start().catch((error: unknown) => this.#onRestartFailed(child, error))
    }, delayMs)
  }

  #onRestartFailed(before: ChildProcess, error: unknown): void {
    this.#failures++
    const facts = { err: error, code: error instanceof ModelLoadError ? error.code : undefined }
    if (this.#failures < TELLING_FAILURES) this.#logger.error(facts, 'the model could not be loaded again')
    else {
      const message = `the model could not be loaded again ${this.#failures} times in a row; check its file and the free memory, or remove it`
      this.#logger.error(facts, message)
    }
    // A process that still lives has nothing to do; its end starts the next attempt.
    if (this.#child !== before) this.#child?.kill('SIGKILL')
  }

  #deliver(id: number, event: EngineEvent): void {
    const events = this.#runs.get(id)
    if (events === undefined) return
    events.push(event)
    if (event.type === 'end' || event.type === 'refused' || event.type === 'failed') {
      events.end()
      this.#runs.delete(id)
    }
  }

  #setReady(ready: boolean): void {
    if (this.#ready === ready) return
    this.#ready = ready
    for (const listener of this.#listeners) listener()
  }

  #send(message: ToEngine): void {
    if (this.#child?.connected === true) this.#child.send(message, () => {})
  }
}
