import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Logger } from 'pino'
import { Backoff } from '../../backoff.ts'
import type { Engine, EngineEvent, EngineInfo, EngineJob, EngineRun } from '../engine.ts'
import { EventQueue } from '../event-queue.ts'
import type { LoadOptions } from './load.ts'
import type { FromEngine, ToEngine } from './wire.ts'

/** The model did not load: it is missing, broken, or too large for this machine. */
export class ModelLoadError extends Error {
  readonly code = 'model_load_failed'
}

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

/** Characters of a crashed process's last output that are worth logging. */
const STDERR_TAIL_CHARACTERS = 1_000

/**
 * A model in a process of its own. When that process dies, its jobs fail at once and it is started again, with growing
 * pauses if it dies again.
 */
export class LlamaEngine implements Engine {
  readonly #options: LoadOptions
  readonly #logger: Logger
  readonly #runs = new Map<number, EventQueue<EngineEvent>>()
  readonly #listeners = new Set<() => void>()
  readonly #backoff = new Backoff()
  #info: EngineInfo | undefined
  #child: ChildProcess | undefined
  #ready = false
  #closed = false
  #readyAt = 0
  #nextId = 0
  #restart: NodeJS.Timeout | undefined

  private constructor(options: LoadOptions, logger: Logger) {
    this.#options = options
    this.#logger = logger
  }

  /** Starts the process and loads the model. Throws `ModelLoadError`. */
  static async open(options: LoadOptions, logger: Logger): Promise<LlamaEngine> {
    const engine = new LlamaEngine(options, logger)
    try {
      await engine.#start()
    } catch (error) {
      await engine.close()
      throw error
    }
    return engine
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
    const child = fork(processPath(), {
      serialization: 'advanced',
      execArgv: [],
      env: { ...process.env, ...PROCESS_ENVIRONMENT },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    this.#child = child
    let stderrTail = ''
    child.stderr?.on('data', (chunk: Buffer) => {
      stderrTail = (stderrTail + chunk.toString()).slice(-STDERR_TAIL_CHARACTERS)
    })
    return new Promise((resolve, reject) => {
      child.on('message', (message) => {
        const received = message as FromEngine
        if (received.type === 'loaded') {
          this.#info = received.info
          this.#readyAt = performance.now()
          this.#setReady(true)
          resolve()
        } else if (received.type === 'load-failed') reject(new ModelLoadError(received.message))
        else this.#deliver(received.id, received.event)
      })
      child.on('error', (error) => reject(new ModelLoadError(error.message)))
      child.on('exit', (code, signal) => {
        reject(new ModelLoadError(`the engine process ended (${signal ?? code}) while it loaded the model`))
        this.#onExit(child, signal ?? String(code), stderrTail)
      })
      this.#send({ type: 'load', options: this.#options })
    })
  }

  #onExit(child: ChildProcess, reason: string, stderrTail: string): void {
    if (child !== this.#child) return
    this.#setReady(false)
    for (const id of this.#runs.keys())
      this.#deliver(id, { type: 'failed', message: 'the engine process ended unexpectedly' })
    if (this.#closed || this.#info === undefined) return
    if (performance.now() - this.#readyAt >= STABLE_MS) this.#backoff.reset()
    const delayMs = this.#backoff.next()
    this.#logger.error(
      { reason, stderrTail, delayMs },
      'the engine process ended unexpectedly; it will be started again',
    )
    this.#restart = setTimeout(() => {
      this.#start().catch((error: unknown) => {
        this.#logger.error({ err: error }, 'the model could not be loaded again')
        this.#child?.kill('SIGKILL')
      })
    }, delayMs)
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

/** The process beside this file: TypeScript when it runs from source, JavaScript when it is built. */
function processPath(): string {
  const name = import.meta.url.endsWith('.ts') ? './engine-process.ts' : './engine-process.js'
  return fileURLToPath(new URL(name, import.meta.url))
}
