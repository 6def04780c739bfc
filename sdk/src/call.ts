import type { CallScope } from './call-scope.ts'

/** What a resource asks the transport for. */
export interface Call {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** Below `/v1`, beginning with a slash. */
  readonly path: string
  readonly body?: unknown
  /** Whether the request joins the Session of the client or call. */
  readonly joinsSession?: boolean
}

/** A request whose 2xx headers came. Whoever holds it closes the scope. */
export interface OpenCall {
  readonly response: Response
  readonly scope: CallScope
  readonly requestId: string | undefined
}
