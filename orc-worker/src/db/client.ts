import { type DrizzleD1Database, drizzle } from 'drizzle-orm/d1'
import * as schema from './schema.ts'

/** D1 through drizzle. */
export type Database = DrizzleD1Database<typeof schema>

export function database(env: Env): Database {
  return drizzle(env.DB, { schema })
}

/** True if a write failed on this named constraint or trigger of the database. */
export function failedOn(error: unknown, constraint: string): boolean {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (cause.message.includes(constraint)) return true
  }
  return false
}
