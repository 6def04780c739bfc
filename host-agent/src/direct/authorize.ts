import type { SessionTokenClaims } from '@daisi/protocol'
import type { ReplayCache } from '../jobs/replay-cache.ts'
import { type TokenExpectation, verifySessionToken } from '../tokens/verify-session-token.ts'
import { type DirectFailure, failure } from './direct-failure.ts'
import { checkProof, PROOF_SECONDS, type ProofExpectation, provesBody } from './proof.ts'

/** A request whose token and proof count, so that its body may come. */
export interface Authorized {
  readonly ok: true
  readonly claims: SessionTokenClaims
  readonly thumbprint: string
  readonly jobId: string
  readonly provesBody: (body: Uint8Array) => boolean
  readonly sessionToken: string
}

/** What token and proof are checked against. */
export interface AuthorizationContext
  extends Omit<TokenExpectation, 'mode'>, Pick<ProofExpectation, 'address' | 'sinceMs'> {
  /** Proofs that were used, by key. */
  readonly proofs: ReplayCache
}

/** Checks the token (T2, T3) and the proof (D2, D3) of a request. A proof that counts is used up by this, whatever comes of its request. */
export async function authorize(
  sessionToken: string,
  proof: string,
  context: AuthorizationContext,
): Promise<Authorized | DirectFailure> {
  const verdict = await verifySessionToken(sessionToken, { ...context, mode: 'direct' })
  if (!verdict.ok) return verdict
  const { claims } = verdict
  const thumbprint = claims.cnf?.jkt ?? ''
  const checked = await checkProof(proof, { ...context, token: sessionToken, thumbprint })
  if (!checked.ok) return checked
  const { jti, iat } = checked.claims
  if (context.proofs.has(thumbprint, jti))
    return failure('job_replayed', 'this proof was used before; make a new one')
  if (!context.proofs.add(thumbprint, jti, iat + PROOF_SECONDS, context.nowMs))
    return failure('busy', 'too many requests in a short time; try again in a minute')
  const isProven = (body: Uint8Array): boolean => provesBody(checked.claims, body)
  return { ok: true, claims, thumbprint, jobId: jti, provesBody: isProven, sessionToken }
}
