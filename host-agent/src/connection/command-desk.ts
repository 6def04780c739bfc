import { type Ack, type Command, commandArguments, type CommandName, commandName } from '@daisi/protocol'
import type { RemoteModels } from '../models/remote-models.ts'
import type { Outcome } from '../outcome.ts'
import type { OwnerWishes } from '../policy/owner-wishes.ts'
import type { OrcRecordFile } from '../state/orc-record.ts'
import type { Willingness } from './willingness.ts'

/** Longest reason of a failure on the wire. */
const LONGEST_MESSAGE = 512

type Answer = Pick<Ack, 'outcome' | 'message'>

export interface CommandDeskOptions {
  readonly record: OrcRecordFile
  readonly willingness: Willingness
  readonly owner: OwnerWishes
  readonly keeper: RemoteModels
}

/** Carries out an Orc's commands, one after the other. What its owner did not allow an Orc to do fails with that reason. */
export class CommandDesk {
  readonly #options: CommandDeskOptions
  #previous: Promise<unknown> = Promise.resolve()

  constructor(options: CommandDeskOptions) {
    this.#options = options
  }

  /** The answer to a command, after it was carried out and remembered. One that came before is only answered (Q3). */
  handle(command: Command): Promise<Ack> {
    const acknowledged = this.#previous.then(() => this.#handle(command))
    this.#previous = acknowledged.catch(() => {})
    return acknowledged
  }

  async #handle({ commandId, sequence, name, arguments: given }: Command): Promise<Ack> {
    const { record, willingness } = this.#options
    const known = commandName.safeParse(name)
    const isNew = sequence > record.value.lastCommand
    const answer: Answer = !known.success
      ? { outcome: 'unsupported' }
      : isNew
        ? await this.#carryOut(known.data, given)
        : { outcome: 'done' }
    // On disk before the ack: once it is acknowledged, the Orc forgets the command (Q2).
    if (isNew) await record.update({ lastCommand: sequence, paused: willingness.paused })
    return { type: 'ack', commandId, ...answer }
  }

  async #carryOut(name: CommandName, given: unknown): Promise<Answer> {
    const { willingness, owner, keeper, record } = this.#options
    const { remote } = owner.settings
    switch (name) {
      case 'pause':
      case 'resume':
      case 'drain':
        willingness[name]()
        return { outcome: 'done' }
      case 'settings': {
        if (!remote.settings) return notAllowed('settings', 'remote.settings')
        const patch = commandArguments.settings.safeParse(given)
        if (!patch.success) return failed(patch.error.issues[0]?.message)
        return attempt(owner.change(patch.data))
      }
      case 'model-add': {
        if (!remote.models) return notAllowed('models', 'remote.models')
        const wanted = commandArguments['model-add'].safeParse(given)
        if (!wanted.success) return failed(wanted.error.issues[0]?.message)
        // It may take hours: acknowledged when it is begun, and seen in `models` when it is there.
        return attempt(keeper.beginAddFromCatalogue(record.value.url, wanted.data))
      }
      case 'model-remove': {
        if (!remote.models) return notAllowed('models', 'remote.models')
        const wanted = commandArguments['model-remove'].safeParse(given)
        if (!wanted.success) return failed(wanted.error.issues[0]?.message)
        return attempt(keeper.remove(wanted.data.id, { deleteFile: false }))
      }
    }
  }
}

async function attempt(work: Promise<Outcome<unknown>>): Promise<Answer> {
  try {
    const outcome = await work
    return outcome.ok ? { outcome: 'done' } : failed(outcome.message)
  } catch (error) {
    return failed(error instanceof Error ? error.message : undefined)
  }
}

function notAllowed(what: string, setting: string): Answer {
  return failed(
    `the owner of this Host does not let an Orc change its ${what}; on that machine: daisi-host config set ${setting} true`,
  )
}

function failed(message = 'invalid arguments'): Answer {
  return { outcome: 'failed', message: message.slice(0, LONGEST_MESSAGE) }
}
