import { DrizzleQueryError } from 'drizzle-orm'
import { type DrizzleD1Database, drizzle } from 'drizzle-orm/d1'
import * as schema from './schema.ts'

/** D1 through drizzle. */
export type Database = DrizzleD1Database<typeof schema>

/** A query that is not sent yet, for a batch. */
export type Statement = Parameters<Database['batch']>[0][0]

export function database(env: Env): Database {
  return drizzle(env.DB, { schema })
}

/** True if D1 did not answer or could not carry out a query. */
export function isDatabaseFault(error: unknown): boolean {
  return error instanceof DrizzleQueryError || (error instanceof Error && error.message.startsWith('D1_'))
}

/** True if a write failed on this named constraint or trigger of the database. */
export function failedOn(error: unknown, constraint: string): boolean {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (cause.message.includes(constraint)) return true
  }
  return false
}
