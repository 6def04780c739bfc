import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import { type ChildExit, childExit } from '../../orc-local/src/child/stop-child.ts'

/** A program of this folder in a process of its own, which answers one message at a time. */
export interface Helper {
  readonly pid: number
  /** What it said first: it is ready. */
  readonly ready: unknown
  readonly ask: (question: unknown) => Promise<unknown>
  readonly stop: () => Promise<void>
}

/** Starts a program beside this file; it ends by itself when the channel to this process closes. `env` adds to this process's. */
export async function startHelper(
  file: string,
  options: object,
  env: Readonly<Record<string, string>> = {},
): Promise<Helper> {
  const child = fork(join(import.meta.dirname, file), [JSON.stringify(options)], {
    execPath: process.execPath,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const exited = childExit(child)
  const ready = await nextMessage(child, exited, file)
  return {
    pid: child.pid ?? 0,
    ready,
    ask: async (question) => {
      const answer = nextMessage(child, exited, file)
      child.send(question as object)
      return answer
    },
    stop: async () => {
      child.kill('SIGKILL')
      await exited
    },
  }
}

/** In the program: its options. */
export function helperOptions<Options>(): Options {
  process.once('disconnect', () => process.exit(0))
  const options: Options = JSON.parse(process.argv[2] ?? '{}')
  return options
}

/** In the program: says something to whoever started it. */
export function say(message: object): void {
  process.send?.(message)
}

async function nextMessage(child: ChildProcess, exited: Promise<ChildExit>, file: string): Promise<unknown> {
  let onMessage: (message: unknown) => void = () => undefined
  const answered = new Promise<unknown>((resolve) => {
    onMessage = resolve
    child.once('message', onMessage)
  })
  const ended = exited.then(({ code, signal }) => {
    throw new Error(`${file} ended too early (${signal ?? code})`)
  })
  // Only one of the two is waited for.
  ended.catch(() => undefined)
  return Promise.race([answered, ended])
}
