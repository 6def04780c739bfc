import { type ChildProcess, fork } from 'node:child_process'
import { processEnvironment, processPath } from './process-path.ts'

/** Time for one grammar. Those of real formats take milliseconds. */
const READ_DEADLINE_MS = 2_000
/** Time for the process to start, on a machine that is busy with other things. */
const START_DEADLINE_MS = 60_000
/** A process that nothing was asked of for so long gives its memory back. */
const IDLE_MS = 60_000
/** Grammars that may wait for their turn. */
const MOST_WAITING = 16
/** Grammars known to be harmless; an app sends the same one again and again. */
const MOST_REMEMBERED = 64

/** Whether llama.cpp can read a grammar; `too_costly` if it takes too long or crashes over it, `busy` if too many wait. */
export type GrammarVerdict = 'readable' | 'unreadable' | 'too_costly' | 'busy'

/** Tries grammars in a process of its own before the one with the model reads them. */
export class GrammarTrial {
  readonly #readable = new Set<string>()
  #child: ChildProcess | undefined
  #last: Promise<unknown> = Promise.resolve()
  #waiting = 0
  #idle: NodeJS.Timeout | undefined

  async try(grammar: string): Promise<GrammarVerdict> {
    if (this.#readable.has(grammar)) return 'readable'
    if (this.#waiting >= MOST_WAITING) return 'busy'
    this.#waiting++
    const verdict = this.#last.then(() => this.#try(grammar))
    this.#last = verdict.catch(() => {}).finally(() => this.#waiting--)
    return verdict
  }

  close(): void {
    clearTimeout(this.#idle)
    this.#child?.kill('SIGKILL')
    this.#child = undefined
  }

  async #try(grammar: string): Promise<GrammarVerdict> {
    clearTimeout(this.#idle)
    const child = this.#child ?? (await this.#start())
    if (child === undefined) return 'busy'
    child.send(grammar, () => {})
    const readable = await answer(child, READ_DEADLINE_MS)
    this.#idle = setTimeout(() => this.close(), IDLE_MS)
    this.#idle.unref()
    if (readable === undefined) {
      this.close()
      return 'too_costly'
    }
    if (readable !== true) return 'unreadable'
    this.#remember(grammar)
    return 'readable'
  }

  async #start(): Promise<ChildProcess | undefined> {
    const child = fork(processPath('grammar-trial-process'), {
      execArgv: [],
      env: processEnvironment(),
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    })
    child.unref()
    child.channel?.unref()
    child.on('error', () => {})
    child.once('exit', () => {
      if (this.#child === child) this.#child = undefined
    })
    this.#child = child
    if ((await answer(child, START_DEADLINE_MS)) === 'ready') return child
    this.close()
    return undefined
  }

  #remember(grammar: string): void {
    for (const oldest of this.#readable) {
      if (this.#readable.size < MOST_REMEMBERED) break
      this.#readable.delete(oldest)
    }
    this.#readable.add(grammar)
  }
}

/** The next message of a process; undefined if none comes in time or it ends. */
function answer(child: ChildProcess, deadlineMs: number): Promise<unknown> {
  return new Promise((resolve) => {
    const settle = (value?: unknown): void => {
      clearTimeout(timer)
      child.off('message', settle)
      child.off('exit', ended)
      child.off('error', ended)
      resolve(value)
    }
    const ended = (): void => settle()
    const timer = setTimeout(ended, deadlineMs)
    child.on('message', settle)
    child.once('exit', ended)
    child.once('error', ended)
  })
}
