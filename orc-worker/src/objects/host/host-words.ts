import { CloseCode, type Models, type SettingsReport, type Status } from '@daisi/protocol'
import type { PresenceUpdate } from '../directory/object.ts'
import type { HostSocket } from './attachments.ts'
import type { HostContext } from './context.ts'
import { tellDirectories } from './directories.ts'
import { MAX_SETTINGS_CHARACTERS, modelsFault } from './host-report.ts'
import { noteClaim } from './idle-claim.ts'
import type { Tagged } from './sockets.ts'

// What a Host says of itself after its hello: for the directories of its Networks, and for its owner.

/** How much it can take, why it takes nothing, and which models are not ready (rules H4, H11). */
export async function noteStatus(
  { socket, attachment }: Tagged<HostSocket>,
  status: Status,
  context: HostContext,
): Promise<void> {
  const { freeSlots, accepting, reason, tokensPerSecond, models: states = [] } = status
  noteClaim(socket, status)
  context.report.note('willingness', { accepting, reason: accepting ? null : (reason ?? null) })
  context.report.noteStates(states)
  await update(attachment, { freeSlots, accepting, tokensPerSecond, states }, context)
}

/** What it serves from now on (rule H9). */
export async function noteModels(
  { attachment, socket }: Tagged<HostSocket>,
  { models }: Models,
  context: HostContext,
): Promise<void> {
  const fault = modelsFault(models)
  if (fault !== undefined) return socket.close(CloseCode.TooLarge, fault)
  context.report.note('models', models)
  await update(attachment, { models }, context)
}

/** Its owner's wishes (rule H12). */
export function noteSettings(
  { socket }: Tagged<HostSocket>,
  { remote, settings }: SettingsReport,
  context: HostContext,
): void {
  const json = JSON.stringify(settings)
  if (json.length > MAX_SETTINGS_CHARACTERS)
    return socket.close(CloseCode.TooLarge, `settings have at most ${MAX_SETTINGS_CHARACTERS} characters`)
  context.report.note('settings', { remote, json })
}

function update(
  { identity, connectionId }: HostSocket,
  presence: PresenceUpdate,
  context: HostContext,
): Promise<void> {
  return tellDirectories(identity, context, (directory) =>
    directory.update(identity.hostId, connectionId, presence),
  )
}
