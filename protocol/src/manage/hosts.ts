import * as z from 'zod'
import { commandArguments, commandName } from '../host/command.ts'
import { jobKind, modelId, modelState } from '../host/model.ts'
import { idleReason } from '../host/status.ts'
import { commandId, hostId, networkName } from '../ids.ts'

/** Body of `POST /api/host-enrolments`. */
export const enrolmentRequest = z.object({
  network: networkName.optional(),
  ttl_seconds: z.int().min(60).max(604_800).optional(),
})
/** Answer: a token that enrols one Host, once. `expires_at` in seconds since the epoch. */
export const enrolmentCreated = z.object({ token: z.string(), network: networkName, expires_at: z.int() })
export type EnrolmentCreated = z.infer<typeof enrolmentCreated>

/** One Host in `GET /api/hosts`, as its owner sees it. */
export const hostView = z.object({
  id: hostId,
  name: z.string(),
  alias: z.string(),
  networks: z.array(networkName),
  online: z.boolean(),
})
export const hostList = z.object({ hosts: z.array(hostView) })
export type HostList = z.infer<typeof hostList>

/** What became of a command: `queued` until its Host has answered. */
const commandView = z.object({
  command_id: commandId,
  name: z.string(),
  outcome: z.enum(['queued', 'done', 'failed', 'unsupported']),
  /** Why it failed. */
  message: z.string().nullable(),
})
export type CommandView = z.infer<typeof commandView>

/** Answer of `GET /api/hosts/:id`. What the Host says of itself is its last word, also while it is away. */
export const hostDetails = hostView.extend({
  /** Version of its agent. Null until it has connected. */
  version: z.string().nullable(),
  /** False while it takes no work. */
  accepting: z.boolean(),
  /** Why it takes no work. */
  reason: idleReason.nullable(),
  models: z.array(
    z.object({
      id: modelId,
      aliases: z.array(modelId),
      kinds: z.array(jobKind),
      context_length: z.int(),
      state: modelState.shape.state,
      /** Of the loading. */
      percent: z.int().nullable(),
    }),
  ),
  /** True if the Host carries out `settings` commands. */
  remote: z.boolean(),
  /** Its owner's wishes, as the Host says them. Null until it has. */
  settings: z.record(z.string(), z.unknown()).nullable(),
  /** Those that wait, and the last fifty that were answered, newest first. */
  commands: z.array(commandView),
})
export type HostDetails = z.infer<typeof hostDetails>

/** Body of `POST /api/hosts/:id/commands`. The Host's owner gives the arguments, so unknown ones are a mistake. */
export const commandRequest = z
  .object({ name: commandName, arguments: z.record(z.string(), z.unknown()).default({}) })
  .superRefine(({ name, arguments: given }, context) => {
    const parsed = commandArguments[name].strict().safeParse(given)
    for (const { path, message } of parsed.error?.issues ?? [])
      context.addIssue({ code: 'custom', message, path: ['arguments', ...path] })
  })
/** Answer: the command is queued and survives disconnection. */
export const commandQueued = z.object({ command_id: commandId, delivered: z.boolean() })
export type CommandQueued = z.infer<typeof commandQueued>
