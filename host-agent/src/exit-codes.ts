/** Exit codes of `daisi-host`. Scripts and service managers rely on them; the README lists them. */
export const ExitCode = {
  /** Stopped as asked. */
  Ok: 0,
  /** A fault of the program. */
  Internal: 1,
  /** The command line is wrong. */
  Usage: 2,
  /** The state folder is broken or cannot be used. */
  State: 3,
  /** The model is missing, unreadable or does not load. */
  Model: 4,
  /** The Orc refuses this Host: not enrolled, removed, changed identity, or too old. */
  Refused: 5,
  /** Another agent with the same key took over. */
  Superseded: 6,
  /** Nobody approved the login in time. */
  LoginExpired: 7,
  /** The Orc cannot be reached, and the command does not wait for it. */
  Unreachable: 8,
  /** Another agent works with the same state folder. */
  AlreadyRunning: 9,
  /** The command needs a running agent, and there is none. */
  NotRunning: 10,
  /** `status`: the agent runs, but no Orc is connected. */
  Offline: 11,
  /** `doctor` found something that keeps this Host from working; or the agent declined what was asked. */
  Failed: 12,
  /** A signal ended a login, or a second signal arrived while the agent was finishing its jobs. */
  Interrupted: 130,
} as const
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode]

/** An error that ends the agent. `message` says what to do next; `code` is stable. */
export class FatalError extends Error {
  readonly code: string
  readonly exitCode: ExitCode

  constructor(exitCode: ExitCode, code: string, message: string, cause?: unknown) {
    super(message, { cause })
    this.exitCode = exitCode
    this.code = code
  }
}
