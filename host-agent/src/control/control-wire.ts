import { defaultSampling, jobKind, modelId, modelState, sha256Hex } from '@daisi/protocol'
import * as z from 'zod'
import { activity, agentStatus } from './agent-status.ts'

/** Body of every error. */
export const controlError = z.object({ code: z.string(), message: z.string() })

/** One line of `GET /events`: the whole status when it changed, or something that happened. */
export const controlEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('status'), status: agentStatus }),
  z.object({ type: z.literal('activity'), activity }),
])
export type ControlEvent = z.infer<typeof controlEvent>

/** Body of `PATCH /settings`: the keys of the owner's settings that change, whole. The agent checks the values. */
export const settingsPatch = z.record(z.string().max(64), z.unknown())
export type SettingsPatch = z.infer<typeof settingsPatch>

const count = z.int().nonnegative()

/** A model that this Host serves, or would if it ran. */
export const listedModel = z.object({
  id: modelId,
  aliases: z.array(modelId),
  /** Where it is: a path, or the address of its server. */
  from: z.string(),
  sha256: sha256Hex.optional(),
  sizeBytes: count.optional(),
  contextLength: count.optional(),
  kinds: z.array(jobKind).optional(),
  licence: z.string().optional(),
  /** Absent while no agent runs. */
  state: modelState.shape.state.optional(),
  /** Of the loading, 0 to 100. */
  percent: modelState.shape.percent,
  /** Why loading failed. */
  problem: z.string().optional(),
})
export type ListedModel = z.infer<typeof listedModel>

/** Body of `POST /models`. A path is absolute: the agent has another working folder than who asks. */
export const addModelRequest = z.strictObject({
  reference: z.string().min(1).max(4_096),
  id: modelId.optional(),
  aliases: z.array(modelId).max(16).optional(),
  /** Any other file is refused. */
  sha256: sha256Hex.optional(),
  sizeBytes: z.int().positive().optional(),
  /** Only these kinds of work; absent: what the file is made for. */
  kinds: z.array(jobKind).min(1).max(8).optional(),
  contextLength: z.int().positive().optional(),
  licence: z.string().max(256).optional(),
  defaultSampling: defaultSampling.optional(),
})
export type AddModelRequest = z.infer<typeof addModelRequest>

/** How far a model is on its way here, as the store's download tells it. */
export const modelProgress = z.object({
  phase: z.enum(['waiting', 'downloading', 'verifying']),
  bytes: count,
  totalBytes: count,
  bytesPerSecond: z.number().nonnegative(),
  etaSeconds: z.number().nonnegative().optional(),
})
export type ModelProgress = z.infer<typeof modelProgress>

/** One line of the answer to `POST /models`; `added` or `failed` is the last. */
export const addModelEvent = z.discriminatedUnion('type', [
  modelProgress.extend({ type: z.literal('progress') }),
  z.object({ type: z.literal('added'), model: listedModel }),
  controlError.extend({ type: z.literal('failed') }),
])
export type AddModelEvent = z.infer<typeof addModelEvent>
