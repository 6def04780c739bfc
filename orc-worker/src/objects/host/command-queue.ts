import type { Ack, Command, CommandView } from '@daisi/protocol'

/** Commands that may wait for a Host. */
const MAX_WAITING = 100
/** Answers that are kept for its owner to see. */
const MAX_ANSWERED = 50

/** A command as its owner gives it. */
export type CommandOrder = Pick<Command, 'name' | 'arguments'>

/** A command that waits for its Host, or was sent to it at once. */
export interface QueuedCommand {
  readonly commandId: string
  readonly delivered: boolean
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS commands (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, arguments TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS answered_commands (
    sequence INTEGER PRIMARY KEY, id TEXT NOT NULL, name TEXT NOT NULL, outcome TEXT NOT NULL, message TEXT
  ) STRICT;`

/** What the owner of a Host asked of it, until the Host has answered, and what it answered. */
export class CommandQueue {
  readonly #storage: DurableObjectStorage
  readonly #sql: SqlStorage
  constructor(storage: DurableObjectStorage) {
    this.#storage = storage
    this.#sql = storage.sql
    this.#sql.exec(SCHEMA)
  }

  /** Appends a command and answers its place in the queue (rule Q1), or undefined if too many wait. */
  add(command: CommandOrder & Pick<Command, 'commandId'>): Command | undefined {
    const [row] = this.#sql
      .exec<{ sequence: number }>(
        `INSERT INTO commands (id, name, arguments)
          SELECT ?, ?, ? WHERE (SELECT count(*) FROM commands) < ? RETURNING sequence`,
        command.commandId,
        command.name,
        JSON.stringify(command.arguments),
        MAX_WAITING,
      )
      .toArray()
    return row && { type: 'command', ...command, sequence: row.sequence }
  }

  /** Those that wait for their Host, in order. */
  waiting(): Command[] {
    return this.#sql
      .exec<{ sequence: number; id: string; name: string; arguments: string }>(
        'SELECT * FROM commands ORDER BY sequence',
      )
      .toArray()
      .map((row) => ({
        type: 'command',
        commandId: row.id,
        sequence: row.sequence,
        name: row.name,
        arguments: JSON.parse(row.arguments) as Record<string, unknown>,
      }))
  }

  /** Rule Q2. One that does not wait any more keeps its first answer. */
  acknowledge({ commandId, outcome, message }: Omit<Ack, 'type'>): void {
    this.#storage.transactionSync(() => {
      const [done] = this.#sql
        .exec<{ sequence: number; name: string }>(
          'DELETE FROM commands WHERE id = ? RETURNING sequence, name',
          commandId,
        )
        .toArray()
      if (done === undefined) return
      this.#sql.exec(
        'INSERT INTO answered_commands VALUES (?, ?, ?, ?, ?)',
        done.sequence,
        commandId,
        done.name,
        outcome,
        message ?? null,
      )
      this.#sql.exec(
        `DELETE FROM answered_commands WHERE sequence <=
          (SELECT sequence FROM answered_commands ORDER BY sequence DESC LIMIT 1 OFFSET ?)`,
        MAX_ANSWERED,
      )
    })
  }

  /** All of them, newest first, as the owner is shown them. */
  views(): CommandView[] {
    return this.#sql
      .exec<{ id: string; name: string; outcome: CommandView['outcome']; message: string | null }>(
        `SELECT id, name, outcome, message FROM (
          SELECT sequence, id, name, 'queued' AS outcome, NULL AS message FROM commands
          UNION ALL SELECT sequence, id, name, outcome, message FROM answered_commands
        ) ORDER BY sequence DESC`,
      )
      .toArray()
      .map(({ id, ...rest }) => ({ command_id: id, ...rest }))
  }

  /** The Host has another owner, who asked for none of this. */
  clear(): void {
    this.#sql.exec('DELETE FROM commands')
    this.#sql.exec('DELETE FROM answered_commands')
  }
}
