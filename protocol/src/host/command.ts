import * as z from 'zod'
import { commandId, count, sha256Hex } from '../ids.ts'
import { modelId } from './model.ts'
import { remoteSettings } from './settings.ts'

/** What an owner can ask of a Host from afar. Unknown names are acknowledged as `unsupported`, never an error (Q4). */
export const commandName = z.enum(['pause', 'resume', 'drain', 'settings', 'model-add', 'model-remove'])
export type CommandName = z.infer<typeof commandName>

/** Arguments of `model-add`: an entry of the Orc's catalogue. A Host takes no other address from an Orc (Q6). */
export const modelAddArguments = z.object({ id: modelId, sha256: sha256Hex })

/** Arguments of `model-remove`. */
export const modelRemoveArguments = z.object({ id: modelId })

const noArguments = z.object({})

/** What each command takes. */
export const commandArguments = {
  pause: noArguments,
  resume: noArguments,
  drain: noArguments,
  settings: remoteSettings,
  'model-add': modelAddArguments,
  'model-remove': modelRemoveArguments,
} as const satisfies Record<CommandName, z.ZodType>

/** Orc → Host: queued, delivered in order, at least once (Q1–Q3). `name` is open so that old agents survive new names. */
export const command = z.object({
  type: z.literal('command'),
  commandId,
  /** Position in this Host's queue, rising by one. */
  sequence: count,
  name: z.string().max(64),
  arguments: z.record(z.string(), z.unknown()),
})
export type Command = z.infer<typeof command>

/** Host → Orc: the command is done, or will never be (Q2). */
export const ack = z.object({
  type: z.literal('ack'),
  commandId,
  outcome: z.enum(['done', 'failed', 'unsupported']),
  /** Why it failed. Its owner is shown it. */
  message: z.string().max(512).optional(),
})
export type Ack = z.infer<typeof ack>

/** Orc → Host: finish what runs, take nothing new, stay connected (H5). */
export const drain = z.object({ type: z.literal('drain') })
export type Drain = z.infer<typeof drain>
