import * as z from 'zod'
import { networkName } from '../ids.ts'

const name = z.string().trim().min(1).max(64)
/** Whole seconds since the epoch. */
const time = z.int()

/** What a Secret Key may do. `sessions` opens Sessions and mints browser tokens. */
export const keyScope = z.enum(['inference', 'sessions', 'usage'])
export type KeyScope = z.infer<typeof keyScope>

/** Classes of Hosts: the account's own, those of private Networks, those of the public one. */
export const spendClass = z.enum(['own', 'private', 'public'])
export type SpendClass = z.infer<typeof spendClass>

/** When a key's budget starts anew, in UTC. Weeks begin on Monday. */
export const budgetPeriod = z.enum(['day', 'week', 'month'])
export type BudgetPeriod = z.infer<typeof budgetPeriod>

/** Body of `POST /api/apps`, and of `PATCH /api/apps/:app`. */
export const appRequest = z.object({ name })
export const appCreated = z.object({ id: z.string(), name: z.string() })
export type AppCreated = z.infer<typeof appCreated>

const rights = {
  name,
  scopes: z.array(keyScope).min(1).max(8).refine(isDistinct, 'names a scope twice'),
  /** In no order: where the key's requests go is said by `spend_order`. */
  networks: z.array(networkName).min(1).max(32).refine(isDistinct, 'names a Network twice'),
  /** Null for every model. */
  models: z
    .array(z.string().min(1).max(128))
    .min(1)
    .max(100)
    .refine(isDistinct, 'names a model twice')
    .nullable(),
  /** Classes of Hosts that it uses, best first; null for own, private, public. */
  spend_order: z.array(spendClass).min(1).refine(isDistinct, 'names a class twice').nullable(),
  /** Credits that it may spend in each period, over all its Sessions; null without a limit of its own. */
  budget: z.int().positive().nullable(),
  /** Null: the budget never starts anew. */
  budget_period: budgetPeriod.nullable(),
  /** Seconds from now on; null for never. */
  ttl_seconds: z.int().min(60).max(316_224_000).nullable(),
}

/** Body of `POST /api/apps/:app/keys`. */
export const keyRequest = z
  .object(rights)
  .partial()
  .required({ name: true })
  .refine(hasBudgetOfPeriod, { path: ['budget_period'], message: 'needs a budget' })
export type KeyRequest = z.infer<typeof keyRequest>

/** Body of `PATCH /api/keys/:key`: what it names changes at once, in every Session of the key. */
export const keyChange = z
  .object(rights)
  .partial()
  .refine((change) => Object.values(change).some((value) => value !== undefined), 'names nothing to change')
export type KeyChange = z.infer<typeof keyChange>

/** Body of `POST /api/keys/:key/rotate`. */
export const keyRotation = z.object({
  /** Seconds for which the old key still works, at most 7 days. Default 0: it is revoked at once. */
  overlap_seconds: z.int().min(0).max(604_800).optional(),
})

/** A Secret Key, without its secret. */
export const keyView = z.object({
  id: z.string(),
  name: z.string(),
  /** Its first characters, for display. */
  prefix: z.string(),
  scopes: z.array(keyScope),
  networks: z.array(networkName),
  models: z.array(z.string()).nullable(),
  spend_order: z.array(spendClass).nullable(),
  budget: z
    .object({
      credits: z.int(),
      period: budgetPeriod.nullable(),
      /** Credits settled in the present period. */
      spent: z.int(),
      /** Credits reserved by its Sessions now; what is not used comes back. */
      held: z.int(),
      resets_at: time.nullable(),
    })
    .nullable(),
  created_at: time,
  expires_at: time.nullable(),
  /** To within some minutes. */
  last_used_at: time.nullable(),
  revoked_at: time.nullable(),
  /** The id of the key that took over from it. */
  replaced_by: z.string().nullable(),
})
export type KeyView = z.infer<typeof keyView>

/** Answer of `POST /api/apps/:app/keys` and of a rotation: `key` is the Secret Key and is shown once. */
export const keyCreated = keyView.extend({ key: z.string() })
export type KeyCreated = z.infer<typeof keyCreated>

/** An App with its keys. */
export const appView = z.object({
  id: z.string(),
  name: z.string(),
  created_at: time,
  keys: z.array(keyView),
})
/** Answer of `GET /api/apps`. */
export const appList = z.object({ apps: z.array(appView) })
export type AppList = z.infer<typeof appList>

function isDistinct(values: readonly unknown[]): boolean {
  return new Set(values).size === values.length
}

function hasBudgetOfPeriod(key: {
  readonly budget?: number | null | undefined
  readonly budget_period?: BudgetPeriod | null | undefined
}): boolean {
  return (key.budget_period ?? null) === null || (key.budget ?? null) !== null
}
