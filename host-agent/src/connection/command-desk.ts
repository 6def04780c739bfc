import { type Ack, type Command, commandName } from '@daisi/protocol'
import type { OrcRecordFile } from '../state/orc-record.ts'
import type { Willingness } from './willingness.ts'

/** Carries out an Orc's commands, one after the other. */
export class CommandDesk {
  readonly #record: OrcRecordFile
  readonly #willingness: Willingness
  #previous: Promise<unknown> = Promise.resolve()

  constructor(record: OrcRecordFile, willingness: Willingness) {
    this.#record = record
    this.#willingness = willingness
  }

  /** The answer to a command, after it was carried out and remembered. One that came before is only answered (Q3). */
  handle(command: Command): Promise<Ack> {
    const acknowledged = this.#previous.then(() => this.#handle(command))
    this.#previous = acknowledged.catch(() => {})
    return acknowledged
  }

  async #handle({ commandId, sequence, name }: Command): Promise<Ack> {
    const known = commandName.safeParse(name)
    const outcome = known.success ? 'done' : 'unsupported'
    if (sequence > this.#record.value.lastCommand) {
      if (known.success) this.#willingness[known.data]()
      // On disk before the ack: once it is acknowledged, the Orc forgets the command (Q2).
      await this.#record.update({ lastCommand: sequence, paused: this.#willingness.paused })
    }
    return { type: 'ack', commandId, outcome }
  }
}
