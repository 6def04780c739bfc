import { OrcError, type OrcErrorCode } from './errors.ts'

/** How `daisi-orc` and the demo end. Documented in the README. */
export const ExitCode = {
  Ok: 0,
  /** A fault of ours. */
  Unexpected: 1,
  /** Wrong arguments. */
  Usage: 2,
  /** The port is taken or the address is not this machine's. */
  Address: 3,
  /** The state folder is broken, in use, or of a newer version. */
  State: 4,
  /** A program or a model file is missing. */
  Missing: 5,
  /** The Orc did not start, or ended by itself. */
  Orc: 6,
  /** The Host did not start, or ended by itself. */
  Host: 7,
  /** The Orc refused a request or could not be reached. */
  Request: 8,
  /** The certificate cannot be used, or is another than the pinned one. */
  Certificate: 9,
  /** The backup was not made. */
  Backup: 10,
  /** A second Ctrl-C. */
  Killed: 130,
} as const

const exitCodes: Readonly<Record<OrcErrorCode, number>> = {
  port_in_use: ExitCode.Address,
  address_unavailable: ExitCode.Address,
  state_broken: ExitCode.State,
  state_locked: ExitCode.State,
  state_newer: ExitCode.State,
  migration_failed: ExitCode.State,
  runtime_missing: ExitCode.Missing,
  not_built: ExitCode.Missing,
  start_failed: ExitCode.Orc,
  certificate_missing: ExitCode.Certificate,
  certificate_invalid: ExitCode.Certificate,
  certificate_mismatch: ExitCode.Certificate,
  certificate_expired: ExitCode.Certificate,
  backup_target_unusable: ExitCode.Backup,
  backup_unsupported: ExitCode.Backup,
  backup_failed: ExitCode.Backup,
}

/** Ends a program with a message for the person who started it. */
export class Failure extends Error {
  readonly exitCode: number

  constructor(exitCode: number, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'Failure'
    this.exitCode = exitCode
  }
}

/** The exit code that belongs to a thrown value. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof Failure) return error.exitCode
  if (error instanceof OrcError) return exitCodes[error.code]
  return ExitCode.Unexpected
}
