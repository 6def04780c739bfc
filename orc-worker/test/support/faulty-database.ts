import { drizzle } from 'drizzle-orm/d1'
import { type Database, failedOn } from '../../src/db/client.ts'
import * as schema from '../../src/db/schema.ts'

/**
 * What happens to a request to D1. `refuse`: nothing is done and the asker hears of a failure. `lose`: it is done, and the
 * asker hears of a failure. `late`: the asker hears of a failure, and it is done some time afterwards. `twice`: it is done
 * two times.
 */
export type Fault = 'none' | 'refuse' | 'lose' | 'late' | 'twice'

/** One thing that happens to a request, in an order that the test chooses. */
export interface Happening {
  readonly label: string
  /** True if it may change the database, false if it is only heard of. */
  readonly inBook: boolean
  readonly happen: () => Promise<void>
}

/** A request to D1 that waits for the test to decide when and how it is carried out. */
export interface DatabaseCall {
  /** What happens to the request, one after another. `answering` runs its argument where the asker lives. */
  happenings(fault: Fault, answering: (answer: () => void) => Promise<void>): Happening[]
}

interface Query {
  readonly text: string
  readonly parameters: readonly unknown[]
}

type Execute = (database: D1Database) => Promise<unknown>

const AWAY = 'D1_ERROR: the database is away'

/** True if an error is one that a `Fault` made. */
export function isMadeUp(error: unknown): boolean {
  return failedOn(error, AWAY)
}

/** A Drizzle database whose every request goes to `send` first. The real D1 carries it out, where `send` lets it. */
export function faultyDatabase(real: D1Database, send: (call: DatabaseCall) => void): Database {
  const ask = (label: string, execute: Execute): Promise<unknown> => {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    send(callOf(label, () => execute(real), resolve, reject))
    return promise
  }
  const prepare = (text: string, parameters: readonly unknown[] = []) => {
    const query = { text, parameters }
    const label = text.slice(0, 40)
    return {
      query,
      bind: (...values: unknown[]) => prepare(text, values),
      all: () => ask(label, (database) => prepared(database, query).all()),
      run: () => ask(label, (database) => prepared(database, query).run()),
      raw: () => ask(label, (database) => prepared(database, query).raw()),
    }
  }
  const batch = (statements: readonly { readonly query: Query }[]): Promise<unknown> =>
    ask(`${statements.length} statements`, (database) =>
      database.batch(statements.map(({ query }) => prepared(database, query))),
    )
  // Drizzle calls no other methods of D1.
  return drizzle({ prepare, batch } as unknown as D1Database, { schema })
}

function prepared(database: D1Database, { text, parameters }: Query): D1PreparedStatement {
  return database.prepare(text).bind(...parameters)
}

function callOf(
  label: string,
  execute: () => Promise<unknown>,
  resolve: (value: unknown) => void,
  reject: (error: unknown) => void,
): DatabaseCall {
  return {
    happenings(fault, answering) {
      let answer = (): void => reject(new Error(AWAY))
      const done: Happening = {
        label: `D1 does ${label}`,
        inBook: true,
        happen: async () => {
          try {
            const value = await execute()
            answer = () => resolve(value)
          } catch (error) {
            answer = () => reject(error)
          }
        },
      }
      const answered: Happening = {
        label: `D1 answers ${label}`,
        inBook: false,
        happen: () => answering(answer),
      }
      const failed: Happening = {
        label: `D1 fails (${fault}) ${label}`,
        inBook: false,
        happen: () => answering(() => reject(new Error(AWAY))),
      }
      switch (fault) {
        case 'none':
          return [done, answered]
        case 'twice':
          return [done, done, answered]
        case 'refuse':
          return [failed]
        case 'lose':
          return [done, failed]
        case 'late':
          return [failed, done]
        default:
          return fault satisfies never
      }
    },
  }
}
