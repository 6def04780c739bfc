import { CloseCode, isFinalClose } from '@daisi/protocol'
import { ExitCode, FatalError } from '../exit-codes.ts'
import type { Ending } from './conversation.ts'

/** Orcs answer these when they refuse who asks; other statuses pass. */
export function isRefusalStatus(status: number): boolean {
  return status === 401 || status === 403
}

/** The Orc does not know this Host, or does not want it. */
export function notEnrolled(orc: string, status: number): FatalError {
  const message = `${orc} does not accept this Host (HTTP ${status}); get an enrolment token from the Orc's owner and start again with --enroll TOKEN`
  return new FatalError(ExitCode.Refused, 'not_enrolled', message)
}

export function enrolmentRefused(orc: string, reason: string): FatalError {
  const message = `${orc} refused the enrolment (${reason}); tokens work once and for a short time: get a new one and start again with --enroll TOKEN`
  return new FatalError(ExitCode.Refused, 'enrolment_refused', message)
}

export function issuerChanged(orc: string, expected: string, found: string): FatalError {
  const message = `${orc} now calls itself ${found}; this Host was enrolled with ${expected}. If its owner confirms the change, remove its file from the folder orcs in the state folder and enrol again`
  return new FatalError(ExitCode.Refused, 'issuer_changed', message)
}

export function mistakenIdentity(orc: string): FatalError {
  return new FatalError(
    ExitCode.Refused,
    'identity_mismatch',
    `${orc} welcomed another Host than this one; check the address given with --orc`,
  )
}

/** The error of a close after which the agent must not come back, or undefined. */
export function finalCloseError(orc: string, { code }: Ending): FatalError | undefined {
  if (!isFinalClose(code)) return undefined
  switch (code) {
    case CloseCode.Superseded: {
      const message = `another agent connected to ${orc} with this Host's key and took over; run one agent per key, or give this one its own --state folder`
      return new FatalError(ExitCode.Superseded, 'superseded', message)
    }
    case CloseCode.VersionTooOld:
      return new FatalError(
        ExitCode.Refused,
        'version_too_old',
        `${orc} no longer speaks to this version; update daisi-host`,
      )
    case CloseCode.Revoked:
      return new FatalError(
        ExitCode.Refused,
        'revoked',
        `${orc} removed this Host; enrol it again with --enroll TOKEN if that was a mistake`,
      )
    default:
      return notEnrolled(orc, 401)
  }
}
