import type { AppContext } from '../http/context.ts'
import { bookkeeperStub } from '../objects/stubs.ts'

/** `POST /api/reconciliation`: asks the Session of every open lease now, instead of in a few minutes. */
export async function postReconciliation(c: AppContext): Promise<Response> {
  return c.json(await bookkeeperStub(c.env).reconcile())
}
