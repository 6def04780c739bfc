import type { ExitCode } from '../exit-codes.ts'

/** Where a command speaks to. */
export interface CommandOutput {
  /** To stdout. */
  write(text: string): void
  /** To stderr: what is not the answer itself. */
  note(text: string): void
  /** True if people read stderr as it appears: progress may be drawn over itself. */
  readonly isTerminal: boolean
  /** How wide the terminal is, in characters. */
  readonly width: number
  /** Decides how the program ends, once the command has. */
  exitWith(code: ExitCode): void
}

export const processOutput: CommandOutput = {
  write: (text) => void process.stdout.write(text),
  note: (text) => void process.stderr.write(text),
  get isTerminal() {
    return process.stderr.isTTY
  },
  get width() {
    return process.stderr.columns ?? 80
  },
  exitWith(code) {
    process.exitCode = code
  },
}
