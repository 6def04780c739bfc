import { execFile } from 'node:child_process'

/** What a program of the system answered. `code` is undefined if there is no such program, it took too long or printed too much. */
export interface ToolResult {
  readonly code: number | undefined
  readonly output: string
  /** What it said on stderr, or why it could not run. */
  readonly problem: string
}

const TIMEOUT_MS = 30_000
const MAX_OUTPUT_BYTES = 256 * 1024

/** Runs a program in English and without a shell, bounded in time and output. Aborting the signal ends it. Never rejects. */
export function runTool(program: string, args: readonly string[], signal?: AbortSignal): Promise<ToolResult> {
  const options = {
    ...(signal !== undefined && { signal }),
    timeout: TIMEOUT_MS,
    maxBuffer: MAX_OUTPUT_BYTES,
    windowsHide: true,
    killSignal: 'SIGKILL',
    env: { ...process.env, LC_ALL: 'C' },
  } as const
  return new Promise((resolve) => {
    const child = execFile(program, args, options, (error, output, problem) => {
      if (error === null) return resolve({ code: 0, output, problem })
      const code = typeof error.code === 'number' ? error.code : undefined
      resolve({ code, output, problem: problem.trim() === '' ? error.message : problem.trim() })
    })
    child.stdin?.end()
  })
}
