import * as z from 'zod'
import { count, jobId, sha256Hex } from '../ids.ts'
import { jobKind } from './model.ts'

/** Orc → Host: do one Job (J1). */
export const run = z.object({
  type: z.literal('run'),
  jobId,
  kind: jobKind,
  /** `sha256` pins the file; absent, any file under this id will do. */
  model: z.object({ id: z.string(), sha256: sha256Hex.optional() }),
  /** JWT that the Host verifies before it touches the model (T1–T6). */
  sessionToken: z.string(),
  /** Reserved: true when `payload` is HPKE ciphertext that the Orc cannot read. */
  sealed: z.boolean(),
  /** The work itself, parsed by `kind`; see `jobPayloads`. */
  payload: z.unknown(),
  /** Token ids that were already delivered by another Host: the answer goes on after them (J8). */
  continuation: z.object({ tokenIds: z.array(count) }).optional(),
  /** Bytes of frames that may be sent before a `credit` (F5). */
  windowBytes: z.int().positive(),
})
export type Run = z.infer<typeof run>

/**
 * Why a Host does not run a Job. All but `invalid_payload`, `context_length_exceeded` and those about tokens let the Orc try another Host.
 */
export const refusalCode = z.enum([
  'busy',
  'draining',
  'model_not_loaded',
  /** It is being loaded for this Job; the next one may find it ready (J9). */
  'model_loading',
  /** Its owner does not work on such prompts. */
  'declined',
  'unsupported_kind',
  'unsupported_sealed',
  'invalid_payload',
  'context_length_exceeded',
  'token_invalid',
  'token_expired',
  'token_audience',
  'token_network',
  'token_budget',
  'job_replayed',
  'engine_failed',
])
export type RefusalCode = z.infer<typeof refusalCode>

/** Host → Orc: the Job is checked, its prompt is counted, and it will run (J2). */
export const accepted = z.object({
  type: z.literal('accepted'),
  jobId,
  /** Tokens of the whole prompt, template included. */
  promptTokens: count,
  /** Of these, tokens reused from an earlier prompt. They are free. */
  cachedTokens: count,
})
export type Accepted = z.infer<typeof accepted>

/** Host → Orc: the Job will not run here. Nothing was done and nothing is charged (J3). */
export const refused = z.object({
  type: z.literal('refused'),
  jobId,
  code: refusalCode,
  /** For `invalid_payload` it is shown to the Consumer, as the Host's words. */
  message: z.string().max(512),
  /** For `invalid_payload`: what of the payload is at fault. */
  field: z
    .enum([
      'messages',
      'prompt',
      'suffix',
      'input',
      'tools',
      'toolChoice',
      'output',
      'logitBias',
      'images',
      'continuation',
    ])
    .optional(),
  /** For `context_length_exceeded`, and for `token_budget` where the prompt was counted (T4). */
  promptTokens: count.optional(),
  /** For `context_length_exceeded`. */
  contextLength: count.optional(),
  /** For `model_loading`: how far it is, and how long it will still take, as far as can be told. */
  percent: z.int().min(0).max(100).optional(),
  retryAfterSeconds: z.int().positive().max(3_600).optional(),
})
export type Refused = z.infer<typeof refused>

/** What a Job processed. `generatedTokens` counts the tokens of its frames, and token equivalents where the work is not text. */
export const jobUsage = z.object({ promptTokens: count, cachedTokens: count, generatedTokens: count })
export type JobUsage = z.infer<typeof jobUsage>

export const finishReason = z.enum(['stop', 'length', 'tool-calls'])
export type FinishReason = z.infer<typeof finishReason>

/** Host → Orc: at most one per Job and always its last message (J4). One for a forgotten Job is ignored (J7). */
export const jobEnd = z.object({
  type: z.literal('job-end'),
  jobId,
  outcome: z.enum(['completed', 'cancelled', 'failed']),
  /** Present when `outcome` is `completed`. */
  finishReason: finishReason.optional(),
  usage: jobUsage,
  /** Present when `outcome` is `failed`. */
  error: z.object({ code: z.string().max(64), message: z.string().max(512) }).optional(),
  /** The Host's signed statement of the same usage: a compact JWS, see `receiptClaims`. */
  receipt: z.string().max(4096),
})
export type JobEnd = z.infer<typeof jobEnd>

/** Orc → Host: stop within one token and send `job-end` (J5). Unknown jobs are ignored. */
export const cancel = z.object({ type: z.literal('cancel'), jobId })
export type Cancel = z.infer<typeof cancel>

/** Orc → Host: `bytes` more may be sent for this Job; frames up to `ackedSequence` need not be kept (F5, F6). */
export const credit = z.object({ type: z.literal('credit'), jobId, bytes: count, ackedSequence: count })
export type Credit = z.infer<typeof credit>
