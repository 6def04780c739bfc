import { CloseCode, isFinalClose } from '@daisi/protocol'
import { ExitCode, FatalError } from '../exit-codes.ts'
import { orcFileName } from '../state/orc-record.ts'
import type { CertificatePin } from '../certificate-pin.ts'
import type { Ending } from './conversation.ts'

/** Orcs answer these when they refuse who asks; other statuses pass. */
export function isRefusalStatus(status: number): boolean {
  return status === 401 || status === 403
}

/** The Orc does not know this Host, or does not want it. */
export function notEnrolled(orc: string, status: number): FatalError {
  const message = `${orc} does not accept this Host (HTTP ${status}); enrol it with daisi-host login --orc ${orc}, or start again with --enroll TOKEN`
  return new FatalError(ExitCode.Refused, 'not_enrolled', message)
}

export function enrolmentRefused(orc: string, reason: string): FatalError {
  const message = `${orc} refused the enrolment (${reason}); tokens work once and for a short time: get a new one and start again with --enroll TOKEN`
  return new FatalError(ExitCode.Refused, 'enrolment_refused', message)
}

/** The Orc cannot be asked, by a command that does not wait for it. */
export function orcUnreachable(orc: string, cause: unknown): FatalError {
  const message = `${orc} cannot be reached (${describeFailure(cause)}); check the address and the network, then try again`
  return new FatalError(ExitCode.Unreachable, 'orc_unreachable', message, cause)
}

/** What Node says of a certificate that no authority vouches for. */
const UNVOUCHED: ReadonlySet<unknown> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

/** True for the error of a request to a server that no authority vouches for. */
export function isUnvouched(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined
  return cause instanceof Error && 'code' in cause && UNVOUCHED.has(cause.code)
}

/** What happened, in a few words. A network's error hides its reason in its cause. */
export function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error'
  const { cause } = error
  if (isUnvouched(error))
    return 'no authority vouches for its certificate; if its owner made it, give its fingerprint with --pin'
  return cause instanceof Error ? `${error.message}: ${cause.message}` : error.message
}

export function issuerChanged(orc: string, expected: string, found: string): FatalError {
  const message = `${orc} now calls itself ${found}; this Host was enrolled with ${expected}. If its owner confirms the change, remove its file from the folder orcs in the state folder and enrol again`
  return new FatalError(ExitCode.Refused, 'issuer_changed', message)
}

/** Two Orcs under one name would share receipts, tokens and proofs: the second one is not served. */
export function issuerTaken(orc: string, issuer: string, other: string): FatalError {
  const message = `${orc} calls itself ${issuer}, and so does ${other}; if they are one Orc, give --orc only once for it, and if it has moved, remove ${orcFileName(other)}.json from the folder orcs in the state folder; otherwise do not trust the one that is wrong`
  return new FatalError(ExitCode.Refused, 'issuer_taken', message)
}

export function pinMismatch(orc: string, pinned: CertificatePin, shown: CertificatePin): FatalError {
  const message = `${orc} shows the certificate ${shown}, not the pinned ${pinned}; nothing was sent. If the Orc's owner confirms the new one, give it with --pin; otherwise somebody stands between this Host and the Orc`
  return new FatalError(ExitCode.Refused, 'pin_mismatch', message)
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
        `${orc} removed this Host; if that was a mistake, enrol it again with daisi-host login --orc ${orc}`,
      )
    default:
      return notEnrolled(orc, 401)
  }
}
