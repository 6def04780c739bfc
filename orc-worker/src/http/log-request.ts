import { logEvent } from '../log.ts'
import type { AppContext } from './context.ts'

/** What a caller may call its request: short, and nothing that could break a line or pass for more than a name. */
const CLIENT_REQUEST_ID = /^[\w.:-]{1,128}$/

/** Logs what happened to a request, under its id and under the one that its caller gave it (`x-client-request-id`), if it did. */
export function logRequest(c: AppContext, event: string, fields: Readonly<Record<string, unknown>>): void {
  const given = c.req.header('x-client-request-id')
  const named = given !== undefined && CLIENT_REQUEST_ID.test(given)
  logEvent(event, { requestId: c.var.requestId, ...(named && { clientRequestId: given }), ...fields })
}
