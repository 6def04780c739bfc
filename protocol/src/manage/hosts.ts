import * as z from 'zod'
import { commandId, hostId, networkName } from '../ids.ts'
import { commandName } from '../host/command.ts'

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

/** Body of `POST /api/hosts/:id/commands`. */
export const commandRequest = z.object({ name: commandName })
/** Answer: the command is queued and survives disconnection. */
export const commandQueued = z.object({ command_id: commandId, delivered: z.boolean() })
export type CommandQueued = z.infer<typeof commandQueued>
