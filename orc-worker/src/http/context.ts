import type { Context } from 'hono'
import type { Config } from '../config.ts'
import type { Account } from '../db/accounts.ts'

/** Who calls `/v1`. The key's checksum is right; the Session decides whether it is good. */
export interface ConsumerCaller {
  readonly keyHash: string
  readonly network: string
  /** Name of the ConsumerSession that this call belongs to. */
  readonly sessionName: string
  readonly config: Config
}

export interface AppEnv {
  Bindings: Env
  Variables: {
    requestId: string
    /** Set on routes with `access: 'consumer'`. */
    consumer: ConsumerCaller
    /** Set on routes with `access: 'account'` and `'operator'`. */
    account: Account
  }
}

export type AppContext = Context<AppEnv>
export type Handler = (c: AppContext) => Promise<Response> | Response
