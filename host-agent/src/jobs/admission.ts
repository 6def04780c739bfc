import {
  type HostId,
  jobPayloads,
  type RefusalCode,
  refused,
  type ServedKind,
  type SessionTokenClaims,
} from '@daisi/protocol'
import type { JWTVerifyGetKey } from 'jose'
import type { Clock } from '../clock.ts'
import type { EngineWork } from '../engine/engine.ts'
import type { ModelLease, ShelvedModel } from '../models/shelved-model.ts'
import type { TokenVerdict } from '../tokens/verify-session-token.ts'
import type { BudgetBook } from './budget-book.ts'
import type { JobOrder } from './job.ts'
import type { RefusalFacts } from './job-delivery.ts'
import type { ReplayCache } from './replay-cache.ts'
import { textsOf, withDefaults } from './work.ts'
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
  /** False while paused or draining, or while its owner does not want it to work. */
  readonly accepting: () => boolean
  /** True if the owner does not work on such texts. */
  readonly declines: (texts: Iterable<string>) => boolean
}

/** An admitted job holds its model: whoever gets it gives the lease back. */
export type Admission =
  | {
      readonly ok: true
      readonly claims: SessionTokenClaims
      readonly work: EngineWork
      readonly lease: ModelLease
    }
  | Denial

interface Denial {
  readonly ok: false
  readonly code: RefusalCode
  readonly message: string
  readonly facts?: RefusalFacts
}

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
  const found = findModel(order, workbench)
  if ('code' in found) return found
  const work = readWork(order, found)
  if ('code' in work) return work
  if (context.declines(textsOf(work))) return refusal('declined', 'this Host does not take such prompts')
  if (workbench.slots.full) return refusal('busy', 'every slot and the queue are full')
  const borrowed = workbench.models.borrow(found)
  if (!borrowed.ok) {
    const { code, message } = borrowed
    if (code !== 'model_loading') return refusal(code, message)
    const { percent, retryAfterSeconds } = borrowed
    return { ...refusal(code, message), facts: { percent, retryAfterSeconds } }
  }
  const { lease } = borrowed
  if (replays.add(claims.sid, order.jobId, claims.exp, clock.now())) return { ok: true, claims, work, lease }
  lease.release()
  return refusal('busy', 'too many jobs in a short time; try again in some minutes')
}

/** The model that a job is for, or what this Host does not serve (J1). */
function findModel(order: JobOrder, { models }: Workbench): ShelvedModel | Denial {
  if (order.sealed) return refusal('unsupported_sealed', 'this Host does not open sealed requests')
  const model = models.find(order.model.id)
  if (model === undefined) return refusal('model_not_loaded', `this Host does not serve ${order.model.id}`)
  const { kinds, sha256, id } = model.offer
  if (!kinds.includes(order.kind))
    return refusal('unsupported_kind', `this Host does not serve jobs of kind ${order.kind} with ${id}`)
  if (order.model.sha256 !== undefined && order.model.sha256 !== sha256)
    return refusal('model_not_loaded', `this Host serves another file under the name ${id}`)
  return model
}

/** The work, parsed by its kind, with the model's own defaults. */
function readWork(order: JobOrder, { source }: ShelvedModel): EngineWork | Denial {
  if (!isServed(order.kind))
    return refusal('unsupported_kind', `this Host does not serve jobs of kind ${order.kind}`)
  const parsed = jobPayloads[order.kind].safeParse(order.payload)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    const path = issue?.path ?? []
    const denial = refusal('invalid_payload', `payload.${path.join('.')}: ${issue?.message ?? 'invalid'}`)
    const field = refused.shape.field.safeParse(path.find((each) => each !== 'sampling')).data
    return field === undefined ? denial : { ...denial, facts: { field } }
  }
  const continuation = order.continuation?.tokenIds ?? []
  // The schema was chosen by the kind, which the compiler cannot follow.
  const work = {
    kind: order.kind,
    ...parsed.data,
    ...((order.kind === 'chat' || order.kind === 'completion') && { continuation }),
  } as EngineWork
  return withDefaults(work, source.defaultSampling)
}

function isServed(kind: string): kind is ServedKind {
  return Object.hasOwn(jobPayloads, kind)
}

function refusal(code: RefusalCode, message: string): Denial {
  return { ok: false, code, message }
}
