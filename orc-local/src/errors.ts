/** Why an Orc cannot be started, or its state folder not be backed up. Stable: callers branch on it. */
export type OrcErrorCode =
  | 'port_in_use'
  | 'address_unavailable'
  | 'state_broken'
  | 'state_locked'
  | 'state_newer'
  | 'migration_failed'
  | 'runtime_missing'
  | 'not_built'
  | 'start_failed'
  | 'certificate_missing'
  | 'certificate_invalid'
  | 'certificate_mismatch'
  | 'certificate_expired'
  | 'backup_target_unusable'
  | 'backup_unsupported'
  | 'backup_failed'

/** A failure whose message tells what to do next. */
export class OrcError extends Error {
  readonly code: OrcErrorCode

  constructor(code: OrcErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'OrcError'
    this.code = code
  }
}

/** The code of a Node system error, such as `ENOENT`. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

/** What an unknown thrown value says. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
