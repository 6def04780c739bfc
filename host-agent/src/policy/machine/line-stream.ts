import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

/** After a program has ended it is not started again for this long. */
const RESTART_MS = 60_000

/** A program that prints a line every few seconds for as long as it is needed: the latest line, while it is fresh. */
export class LineStream {
  readonly #command: string
  readonly #args: readonly string[]
  readonly #freshMs: number
  readonly #waiting = new Set<() => void>()
  #child: ChildProcess | undefined
  #latest: { readonly line: string; readonly atMs: number } | undefined
  #startedMs = -Infinity

  /** `freshMs`: how old a line may be. */
  constructor(command: string, args: readonly string[], freshMs: number) {
    this.#command = command
    this.#args = args
    this.#freshMs = freshMs
  }

  /** Starts the program if need be and waits for a line; undefined if none comes until the signal is aborted. */
  async read(signal: AbortSignal): Promise<string | undefined> {
    this.#start()
    while (!signal.aborted) {
      const latest = this.#latest
      if (latest !== undefined && performance.now() - latest.atMs <= this.#freshMs) return latest.line
      if (this.#child === undefined) return undefined
      await this.#news(signal)
    }
    return undefined
  }

  close(): void {
    this.#child?.kill()
  }

  #start(): void {
    if (this.#child !== undefined || performance.now() - this.#startedMs < RESTART_MS) return
    this.#startedMs = performance.now()
    const child = spawn(this.#command, this.#args, { stdio: ['ignore', 'pipe', 'ignore'], windowsHide: true })
    this.#child = child
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.#latest = { line: line.slice(0, 256), atMs: performance.now() }
      this.#tell()
    })
    const ended = (): void => {
      this.#child = undefined
      this.#tell()
    }
    child.once('error', ended).once('close', ended)
    child.unref()
  }

  #news(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#waiting.delete(done)
        signal.removeEventListener('abort', done)
        resolve()
      }
      this.#waiting.add(done)
      signal.addEventListener('abort', done, { once: true })
    })
  }

  #tell(): void {
    for (const done of this.#waiting) done()
  }
}
