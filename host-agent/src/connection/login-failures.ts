import { ExitCode, FatalError } from '../exit-codes.ts'

/** The Orc does not speak RFC 8628 as this agent does. */
export function loginUnsupported(orc: string, reason: string): FatalError {
  const message = `${orc} offers no login for Hosts (${reason}); check the address given with --orc, or enrol with daisi-host run --enroll TOKEN`
  return new FatalError(ExitCode.Refused, 'login_unsupported', message)
}

/** The Orc refused to begin or to end the login. `error` is its OAuth error code (RFC 6749 §5.2). */
export function loginRefused(orc: string, error: string, description: string | undefined): FatalError {
  const message = `${orc} refused the login (${error}${description === undefined ? '' : `: ${description}`}); log in again with what it asks for`
  return new FatalError(ExitCode.Refused, 'login_refused', message)
}

export function loginDenied(orc: string): FatalError {
  const message = `the request was denied at ${orc}; this Host was not enrolled. Log in again if that was a mistake`
  return new FatalError(ExitCode.Refused, 'login_denied', message)
}

export function loginExpired(orc: string): FatalError {
  const message = `nobody approved the code at ${orc} in time; run daisi-host login again and enter the new code`
  return new FatalError(ExitCode.LoginExpired, 'login_expired', message)
}

export function loginInterrupted(): FatalError {
  const message = 'the login was interrupted; run daisi-host login again to enrol this Host'
  return new FatalError(ExitCode.Interrupted, 'login_interrupted', message)
}
