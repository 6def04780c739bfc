import * as z from 'zod'

/** What can look wrong. None of these takes anything from anybody by itself. */
export const anomalyKind = z.enum([
  /** A Host signed for more than the Orc saw. */
  'excess_claim',
  /** A Host sent a receipt that is not its own, not for this Job, or not for this model. */
  'invalid_receipt',
  /** A Host ended a Job that it does not run: a replay, or another Host's. */
  'stray_receipt',
  /** A Host's finished work for which its Session holds no credits any more. */
  'unpaid_work',
  /** A Host's clock is far from the Orc's. */
  'clock_skew',
  /** A Host says that it is free and takes no Job. */
  'idle_claim',
  /** A Host counts far more tokens for the same bytes than others with the same model. */
  'inflated_counts',
  /** A Host suddenly does far more than before. */
  'volume_spike',
  /** Accounts pay each other in a circle. */
  'circular_flow',
  /** A Session and the book disagree about a lease. */
  'lease_drift',
])
export type AnomalyKind = z.infer<typeof anomalyKind>

export const anomalyStatus = z.enum(['open', 'dismissed', 'upheld'])
export type AnomalyStatus = z.infer<typeof anomalyStatus>

/** One record: everything of this kind about this subject, until an operator reviews it. */
export const anomalyView = z.object({
  id: z.string(),
  kind: anomalyKind,
  /** Id of the Host, account or lease. */
  subject: z.string(),
  status: anomalyStatus,
  /** Sightings kept as evidence. */
  sightings: z.int(),
  /** Seconds since the epoch. */
  opened_at: z.int(),
  last_seen_at: z.int(),
  reviewed_at: z.int().nullable(),
  note: z.string().nullable(),
})
export type AnomalyView = z.infer<typeof anomalyView>

/** Query of `GET /api/anomalies` (operators only), newest first. */
export const anomalyQuery = z.object({
  status: anomalyStatus.optional(),
  cursor: z
    .string()
    .regex(/^\d{1,16}$/)
    .transform(Number)
    .optional(),
  limit: z.coerce.number().int().min(1).max(500).optional(),
})
export const anomalyPage = z.object({
  anomalies: z.array(anomalyView),
  next_cursor: z.string().nullable(),
})
export type AnomalyPage = z.infer<typeof anomalyPage>

/** Answer of `GET /api/anomalies/:anomaly`: with the evidence, numbers and signed receipts only. */
export const anomalyDetail = anomalyView.extend({
  evidence: z.array(
    z.object({ id: z.string(), seen_at: z.int(), detail: z.record(z.string(), z.unknown()) }),
  ),
})
export type AnomalyDetail = z.infer<typeof anomalyDetail>

/** Body of `POST /api/anomalies/:anomaly/review`. */
export const reviewRequest = z.object({
  verdict: z.enum(['dismissed', 'upheld']),
  note: z.string().trim().min(1).max(500),
})
