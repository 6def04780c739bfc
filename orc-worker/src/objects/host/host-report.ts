import { type ModelOffer, type ModelState, idleReason, modelOffer, modelState } from '@daisi/protocol'
import * as z from 'zod'

/** Longest settings that a Host may report, in characters of JSON (rule H12). */
export const MAX_SETTINGS_CHARACTERS = 16 * 1024

/** Longest list of models, in characters of JSON: a directory keeps that of every Host in memory (rule H9). */
const MAX_MODELS_CHARACTERS = 64 * 1024

/** What is wrong with a list of models beyond its schema, or undefined. */
export function modelsFault(models: readonly ModelOffer[]): string | undefined {
  const isTooLong = JSON.stringify(models).length > MAX_MODELS_CHARACTERS
  return isTooLong ? `models have at most ${MAX_MODELS_CHARACTERS} characters together` : undefined
}

/** What a Host says of itself. Null: it has not said it. */
const hostWords = z.object({
  /** Of its agent. */
  version: z.string().nullable().default(null),
  willingness: z.object({ accepting: z.boolean(), reason: idleReason.nullable() }).nullable().default(null),
  models: z.array(modelOffer).nullable().default(null),
  /** Of those models that are not ready to work. */
  states: z.array(modelState).nullable().default(null),
  /** `json` is an object. */
  settings: z.object({ remote: z.boolean(), json: z.string() }).nullable().default(null),
})
export type HostWords = z.infer<typeof hostWords>

/** The last word of a Host on itself, for its owner to see. It outlives the connection. */
export class HostReport {
  readonly #sql: SqlStorage
  /** With percents, which change all the time and are soon of no use: they are kept in memory alone. */
  #states: readonly ModelState[] | undefined

  constructor(sql: SqlStorage) {
    this.#sql = sql
    sql.exec(
      'CREATE TABLE IF NOT EXISTS host_report (part TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID',
    )
  }

  /** Notes one part. What is known already costs no write. */
  note<Part extends Exclude<keyof HostWords, 'states'>>(part: Part, value: HostWords[Part]): void {
    this.#write(part, value)
  }

  /** Notes which models are not ready to work. */
  noteStates(states: readonly ModelState[]): void {
    this.#states = states
    this.#write(
      'states',
      states.map(({ id, state }) => ({ id, state })),
    )
  }

  /** True if it names no model that is not ready to work. */
  get isAllLoaded(): boolean {
    const states = this.#states ?? this.read().states ?? []
    return states.length === 0
  }

  read(): HostWords {
    const rows = this.#sql.exec<{ part: string; value: string }>('SELECT part, value FROM host_report')
    const stored = hostWords.parse(
      Object.fromEntries(rows.toArray().map(({ part, value }) => [part, JSON.parse(value)])),
    )
    return this.#states === undefined ? stored : { ...stored, states: [...this.#states] }
  }

  /** The Host has another owner, whose wishes it has not said yet. */
  clear(): void {
    this.#sql.exec('DELETE FROM host_report')
    this.#states = undefined
  }

  #write(part: keyof HostWords, value: unknown): void {
    const text = JSON.stringify(value)
    this.#sql.exec(
      `INSERT INTO host_report (part, value) VALUES (?1, ?2)
        ON CONFLICT (part) DO UPDATE SET value = excluded.value WHERE value <> excluded.value`,
      part,
      text,
    )
  }
}
