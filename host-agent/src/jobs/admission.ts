import {
  type ChatPayload,
  chatPayload,
  type HostId,
  type RefusalCode,
  type SessionTokenClaims,
} from '@daisi/protocol'
import type { JWTVerifyGetKey } from 'jose'
import type { Clock } from '../clock.ts'
import type { TokenVerdict } from '../tokens/verify-session-token.ts'
import type { BudgetBook } from './budget-book.ts'
import type { JobOrder } from './job.ts'
import type { ReplayCache } from './replay-cache.ts'
import type { Workbench } from './workbench.ts'

/** What decides whether a job may run here. */
export interface AdmissionContext {
  readonly hostId: HostId
  readonly issuer: string
  readonly networks: readonly string[]
  readonly getKey: JWTVerifyGetKey
  readonly clock: Clock
  readonly workbench: Workbench
  readonly budget: BudgetBook
  readonly replays: ReplayCache
  /** False while paused or draining. */
  readonly accepting: () => boolean
}

export type Admission =
  | { readonly ok: true; readonly claims: SessionTokenClaims; readonly payload: ChatPayload }
  | { readonly ok: false; readonly code: RefusalCode; readonly message: string }

/**
 * Checks a job before anything is done for it. The verdict on its Session token comes first (T2): what no token vouches
 * for is not even parsed. An admitted job's id is remembered (T5).
 */
export function admit(order: JobOrder, verdict: TokenVerdict, context: AdmissionContext): Admission {
  const { clock, workbench, budget, replays } = context
  if (!verdict.ok) return verdict
  const { claims } = verdict
  if (replays.has(claims.sid, order.jobId))
    return refusal('job_replayed', 'this job id was seen before in this Session')
  if (budget.left(claims) <= 0)
    return refusal('token_budget', "the session token's budget is spent; request a new one")
  if (!context.accepting()) return refusal('draining', 'this Host takes no new jobs')
  const unserved = checkOffer(order, workbench)
  if (unserved !== undefined) return unserved
  const payload = chatPayload.safeParse(order.payload)
  if (!payload.success) {
    const issue = payload.error.issues[0]
    return refusal(
      'invalid_payload',
      `payload.${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid'}`,
    )
  }
  if (workbench.slots.full) return refusal('busy', 'every slot and the queue are full')
  if (!replays.add(claims.sid, order.jobId, claims.exp, clock.now()))
    return refusal('busy', 'too many jobs in a short time; try again in some minutes')
  return { ok: true, claims, payload: payload.data }
}

/** What this Host does not serve (J1). */
function checkOffer(order: JobOrder, { engine, offer }: Workbench): Admission | undefined {
  if (order.sealed) return refusal('unsupported_sealed', 'this Host does not open sealed requests')
  if (!offer.kinds.includes(order.kind))
    return refusal('unsupported_kind', `this Host does not serve jobs of kind ${order.kind}`)
  if (order.model.id !== offer.id) return refusal('model_not_loaded', `this Host serves ${offer.id}`)
  if (order.model.sha256 !== undefined && order.model.sha256 !== offer.sha256)
    return refusal('model_not_loaded', `this Host serves another file under the name ${offer.id}`)
  return engine.ready ? undefined : refusal('model_not_loaded', 'the model is being loaded again')
}

function refusal(code: RefusalCode, message: string): Admission {
  return { ok: false, code, message }
}
