import { spawn, type ChildProcessByStdio } from 'node:child_process'
import type { Readable } from 'node:stream'
import { dieWithParent } from '../../orc-local/src/child/die-with-parent.ts'
import { forEachLine } from '../../orc-local/src/child/lines.ts'
import { type ChildExit, childExit } from '../../orc-local/src/child/stop-child.ts'

/** How much of its output an error about a program repeats. */
const LINES_SHOWN = 20

interface Watch {
  readonly check: () => boolean
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/** A Node program as its user would run it, in a process of its own, with everything that it prints. */
export class Program implements AsyncDisposable {
  readonly #child: ChildProcessByStdio<null, Readable, Readable>
  readonly #watches = new Set<Watch>()
  /** Lines of stdout. */
  readonly out: string[] = []
  /** Lines of stderr. */
  readonly err: string[] = []
  /** Resolves when the process is gone and its output was read. */
  readonly exited: Promise<ChildExit>
  readonly pid: number

  constructor(file: string, args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
    this.#child = spawn(process.execPath, [file, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
      detached: process.platform !== 'win32',
    })
    this.pid = this.#child.pid ?? 0
    dieWithParent(this.#child, 'KILL')
    this.exited = childExit(this.#child)
    forEachLine(this.#child.stdout, (line) => this.#print(this.out, line))
    forEachLine(this.#child.stderr, (line) => this.#print(this.err, line))
    void this.#failWatchesAtEnd()
  }

  /** The last lines of both. */
  get tail(): string {
    return [...this.out.slice(-LINES_SHOWN), ...this.err.slice(-LINES_SHOWN)].join('\n')
  }

  /** Resolves when what was printed satisfies `check`. Rejects if the process ends before. */
  printed(check: () => boolean): Promise<void> {
    if (check()) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const watch = { check, resolve, reject }
      this.#watches.add(watch)
    })
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Signals, and waits for the end. */
  async end(signal: NodeJS.Signals): Promise<ChildExit> {
    this.signal(signal)
    return this.exited
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end('SIGKILL')
  }

  async #failWatchesAtEnd(): Promise<void> {
    const { code, signal } = await this.exited
    for (const { reject } of this.#watches) reject(new Error(`it ended (${signal ?? code})\n${this.tail}`))
  }

  #print(lines: string[], line: string): void {
    lines.push(line)
    for (const watch of this.#watches) {
      if (!watch.check()) continue
      this.#watches.delete(watch)
      watch.resolve()
    }
  }
}
