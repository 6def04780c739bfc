import type { Balance } from './sessions.ts'

/** Answer of `GET /v1/balance`: what the account has. */
export interface AccountBalance extends Balance {
  readonly object: 'balance'
}
