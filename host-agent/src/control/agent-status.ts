import { idleReason, jobKind, modelState } from '@daisi/protocol'
import * as z from 'zod'
import { problem } from '../problem.ts'

const count = z.int().nonnegative()

/** What a running agent says about itself over its control socket: all that `status`, the full-screen view and `/metrics` show. */
export const agentStatus = z.object({
  version: z.string(),
  pid: count,
  hostId: z.string(),
  /** Milliseconds since the epoch. */
  startedAt: count,
  /** Why it takes no work; absent while it does. */
  reason: idleReason.optional(),
  orcs: z.array(
    z.object({
      url: z.string(),
      state: z.enum(['idle', 'preparing', 'opening', 'greeting', 'online', 'waiting', 'stopped']),
      alias: z.string().optional(),
      networks: z.array(z.string()),
      /** Why it is not connected. */
      problem: z.string().optional(),
      /** Version of daisi-host that this Orc announces, where it is newer than this one. */
      update: z.string().optional(),
    }),
  ),
  models: z.array(
    modelState.extend({
      kinds: z.array(jobKind),
      contextLength: count,
      sizeBytes: count.optional(),
      /** Where it is: a path, or the address of its server. */
      from: z.string(),
      /** Why loading failed. */
      problem: z.string().optional(),
      /** Of one stream, smoothed. */
      tokensPerSecond: z.number().optional(),
      running: count,
    }),
  ),
  slots: z.object({ total: count, free: count, waiting: count, queue: count }),
  /** Since midnight of the machine's clock. Credits: tokens processed for others, as this Host counts them. */
  today: z.object({ jobs: count, failedJobs: count, tokensForOthers: count, ownTokens: count }),
  /** Since the start. */
  total: z.object({
    jobs: count,
    failedJobs: count,
    promptTokens: count,
    cachedTokens: count,
    generatedTokens: count,
  }),
  /** Tokens generated in the last seconds, per second, over all streams. */
  tokensPerSecond: z.number(),
  /** Why it gets no work, most important first; empty when nothing is known to be in the way. */
  problems: z.array(problem),
})
export type AgentStatus = z.infer<typeof agentStatus>

/** One line of what happens, for people. Never prompts, answers, keys or tokens. */
export const activity = z.object({
  /** Milliseconds since the epoch. */
  at: count,
  kind: z.enum(['connection', 'job', 'model', 'owner', 'update', 'problem']),
  text: z.string(),
})
export type Activity = z.infer<typeof activity>
