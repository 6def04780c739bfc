import * as z from 'zod'

/** Why an operator does something with other people's credits. Kept for good, shown in the statement. */
const note = z.string().trim().min(1).max(200)

/** What an account has. */
export const balanceView = z.object({
  /** Free to spend. */
  available: z.int(),
  /** Reserved for running work; what is not used comes back. */
  held: z.int(),
  /** Part of the account that an operator froze; it cannot be spent. */
  frozen: z.int(),
  /** Everything that its Hosts were ever paid. */
  earned: z.int(),
  /** Everything that it ever paid to others. */
  spent: z.int(),
})
export type BalanceView = z.infer<typeof balanceView>

/** What a line of a statement is about. `reserved` and `returned` move credits between free and held. */
export const statementKind = z.enum(['grant', 'adjust', 'earned', 'spent', 'reserved', 'returned'])
export type StatementKind = z.infer<typeof statementKind>

/** One movement of an account's credits. */
export const statementEntry = z.object({
  id: z.string(),
  kind: statementKind,
  /** Credits, negative where they left. */
  amount: z.int(),
  note: z.string().nullable(),
  /** Seconds since the epoch. */
  created_at: z.int(),
})
export type StatementEntry = z.infer<typeof statementEntry>

/** Query of `GET /api/statement`. As CSV with `Accept: text/csv` or `format=csv`. */
export const statementQuery = z.object({
  /** `next_cursor` of the page before. */
  cursor: z
    .string()
    .regex(/^\d{1,16}$/)
    .transform(Number)
    .optional(),
  limit: z.coerce.number().int().min(1).max(1_000).optional(),
  /** `all` shows reservations as well. */
  show: z.enum(['changes', 'all']).optional(),
  format: z.enum(['json', 'csv']).optional(),
})

/** Answer of `GET /api/statement`, newest first. */
export const statementPage = z.object({
  entries: z.array(statementEntry),
  next_cursor: z.string().nullable(),
})
export type StatementPage = z.infer<typeof statementPage>

const day = z.iso.date()

/** Query of `GET /api/usage`: days are UTC and inclusive; without them, the last 30. */
export const usageQuery = z.object({
  by: z.enum(['app', 'key', 'model', 'day']).optional(),
  from: day.optional(),
  to: day.optional(),
})
/** Query of `GET /api/earnings`, likewise. */
export const earningsQuery = z.object({
  by: z.enum(['host', 'model', 'day']).optional(),
  from: day.optional(),
  to: day.optional(),
})

/** What was processed for one app, key, model, Host or day. */
export const reportRow = z.object({
  /** Its id, or the day as YYYY-MM-DD. */
  group: z.string(),
  /** Its name, where it has one. */
  name: z.string().nullable(),
  jobs: z.int(),
  prompt_tokens: z.int(),
  cached_tokens: z.int(),
  generated_tokens: z.int(),
  credits: z.int(),
})
export type ReportRow = z.infer<typeof reportRow>

/** Answer of `GET /api/usage` and `GET /api/earnings`. */
export const activityReport = z.object({ by: z.string(), from: day, to: day, rows: z.array(reportRow) })
export type ActivityReport = z.infer<typeof activityReport>

/** A million million: beyond it, a zero too many is more likely than a gift. */
const MAX_ADJUSTMENT = 1_000_000_000_000

/**
 * Body of `POST /api/accounts/:account/adjustments`: credits to give or, negative, to take. Needs an `Idempotency-Key`,
 * so that a retry cannot give twice.
 */
export const adjustmentRequest = z.object({
  amount: z
    .int()
    .min(-MAX_ADJUSTMENT)
    .max(MAX_ADJUSTMENT)
    .refine((amount) => amount !== 0, 'must not be 0'),
  note,
})
/** Answer. */
export const adjustmentMade = z.object({ id: z.string(), balance: balanceView })
export type AdjustmentMade = z.infer<typeof adjustmentMade>

/**
 * Body of `POST /api/accounts/:account/freezes`: from now on this much of the balance cannot be spent. Absent, everything,
 * later earnings included; 0 releases.
 */
export const freezeRequest = z.object({ amount: z.int().min(0).optional(), note })
/** Answer: how the account stands. */
export const freezeMade = z.object({ balance: balanceView })
export type FreezeMade = z.infer<typeof freezeMade>

/** Answer of `GET /api/audit` (operators only): the book, recomputed from its transfers. */
export const auditReport = z.object({
  accounts: z.int(),
  transfers: z.int(),
  settlements: z.int(),
  /** Sum over all balances. Always 0. */
  sum: z.int(),
  /** Accounts of which a balance or total differs from what their transfers say. Always 0. */
  drifted: z.int(),
  /** Accounts below zero that are not the system's. Always 0. */
  overdrawn: z.int(),
  /** Transfers between accounts that their reason does not allow. Always 0. */
  misplaced: z.int(),
  /** Credits that were settled and stand in no usage or in no work, or the other way round. Always 0. */
  unexplained: z.int(),
  /** Leases that hold credits, and how many credits. */
  leases: z.int(),
  held: z.int(),
  /** Anomalies that wait for a review. */
  open_anomalies: z.int(),
})
export type AuditReport = z.infer<typeof auditReport>

/** Answer of `POST /api/reconciliation`: what the Sessions of all open leases said. */
export const reconciliationReport = z.object({
  /** Leases looked at. */
  asked: z.int(),
  /** Of these, still needed by running Jobs or unsettled ones. */
  in_use: z.int(),
  /** Given back to their accounts. */
  returned: z.int(),
  /** Of which Session and book disagreed: the book's word was taken, and each is an anomaly. */
  drifted: z.int(),
  /** Sessions that did not answer; they are asked again. */
  failed: z.int(),
})
export type ReconciliationReport = z.infer<typeof reconciliationReport>
