import type { AuditReport } from '@daisi/protocol'
import { sql } from 'drizzle-orm'
import { AUDIT_SQL } from './audit-sql.ts'
import type { Database } from './client.ts'

/** Recomputes the book from its transfers. Reads every one of them. */
export function auditBook(db: Database): Promise<AuditReport> {
  return db.get<AuditReport>(sql.raw(AUDIT_SQL))
}
