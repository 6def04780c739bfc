import { auditBook } from '../db/audit.ts'
import { database } from '../db/client.ts'
import type { AppContext } from '../http/context.ts'
import { reconcileLeases } from '../objects/bookkeeper/reconcile.ts'

/** `GET /api/audit`: recomputes the book (rule M2). */
export async function getAudit(c: AppContext): Promise<Response> {
  return c.json(await auditBook(database(c.env)))
}

/** `POST /api/reconciliation`: asks the Session of every open lease now, instead of once it lay still (rule L3). */
export async function postReconciliation(c: AppContext): Promise<Response> {
  return c.json(await reconcileLeases(c.env, database(c.env), Number.MAX_SAFE_INTEGER, Date.now()))
}
