import type { CommandOutput } from '../terminal/command-output.ts'

/** Keeps what a command says. */
export class RecordedOutput implements CommandOutput {
  isTerminal = false
  readonly width = 80
  written = ''
  notes = ''
  exitCode: number | undefined
  onWrite: () => void = () => {}

  write(text: string): void {
    this.written += text
    this.onWrite()
  }

  note(text: string): void {
    this.notes += text
    this.onWrite()
  }

  exitWith(code: number): void {
    this.exitCode = code
  }
}
