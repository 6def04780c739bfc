import { execFile } from 'node:child_process'

/** What a program of the system answered. `code` is undefined if there is no such program, or it took too long. */
export interface ToolResult {
  readonly code: number | undefined
  readonly output: string
  /** What it said on stderr, or why it could not run. */
  readonly problem: string
}

const TIMEOUT_MS = 30_000

/** Runs a program without a shell, bounded in time and output. Never rejects. */
export function runTool(program: string, args: readonly string[]): Promise<ToolResult> {
  return new Promise((resolve) => {
    execFile(program, args, { timeout: TIMEOUT_MS, windowsHide: true }, (error, output, problem) => {
      if (error === null) return resolve({ code: 0, output, problem })
      const code = typeof error.code === 'number' ? error.code : undefined
      resolve({ code, output, problem: problem.trim() === '' ? error.message : problem.trim() })
    })
  })
}
