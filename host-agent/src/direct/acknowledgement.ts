import {
  ACKNOWLEDGEMENT_TYPE,
  type AcknowledgementClaims,
  acknowledgementClaims,
  type HostId,
} from '@daisi/protocol'
import { readConsumerJws } from './consumer-jws.ts'
import { type DirectFailure, failure } from './direct-failure.ts'
import type { DirectJob } from './direct-job.ts'

/**
 * Takes an acknowledgement (D6). The job that it names is looked up first, and one signature is checked at most, so that
 * who knows no running job costs next to nothing. One that says no more than what is known changes nothing: requests
 * overtake each other.
 */
export async function takeAcknowledgement(
  text: string,
  hostId: HostId,
  find: (jobId: string) => DirectJob | undefined,
): Promise<{ readonly ok: true } | DirectFailure> {
  const jws = readConsumerJws(text, ACKNOWLEDGEMENT_TYPE)
  const claims = acknowledgementClaims.safeParse(jws?.payload)
  if (jws === undefined || !claims.success)
    return failure(
      'invalid_request',
      'the body is no acknowledgement: send a compact JWS by the Ed25519 key of the proof',
    )
  const job = find(claims.data.jobId)
  const isKnown = job !== undefined && claims.data.aud === hostId && claims.data.sid === job.claims.sid
  if (!isKnown || (await jws.thumbprint()) !== job.thumbprint) return unknownJob()
  const problem = problemOf(claims.data, job)
  if (problem !== undefined) return problem
  if (!(await jws.verifies()))
    return failure('proof_invalid', 'the signature of the acknowledgement does not verify')
  job.acknowledge(text, claims.data.generatedTokens)
  return { ok: true }
}

function problemOf(claims: AcknowledgementClaims, { prompt, window }: DirectJob): DirectFailure | undefined {
  if (prompt === undefined) return unknownJob()
  if (claims.generatedTokens > window.sent)
    return failure('invalid_request', 'more is acknowledged than was sent', 'generatedTokens')
  for (const name of ['promptTokens', 'cachedTokens'] as const)
    if (claims[name] !== prompt[name])
      return failure('invalid_request', 'acknowledge the prompt as the headers of the answer state it', name)
  return undefined
}

function unknownJob(): DirectFailure {
  return failure('not_found', 'no such job is open here')
}
