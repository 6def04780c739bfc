import type { MemberRole, RequestOptions } from '@daisi/protocol'
import type { Context } from 'hono'
import type { Config } from '../config.ts'
import type { Account } from '../db/accounts.ts'
import type { Caller } from '../objects/session/types.ts'

/** Who calls `/v1`. The credential's checksum is right; the Session decides whether it is good. */
export interface ConsumerCaller {
  readonly caller: Caller
  /** Name of the ConsumerSession that this call belongs to. */
  readonly sessionName: string
  readonly config: Config
}

/** A person who is logged in. */
export interface Person {
  readonly userId: string
  readonly loginSessionId: string
  /** When they logged in: milliseconds since the epoch. */
  readonly loggedInAt: number
  readonly email: string | null
  readonly name: string
}

/** Who acts for an account: a person by a role, or a program with the account's token, which is as good as its owner. */
export type Actor =
  | { readonly role: MemberRole; readonly person: Person }
  | {
      readonly role: 'owner'
      readonly person: undefined
      /** SHA-256 of the token. */
      readonly tokenHash: string
    }

export interface AppEnv {
  Bindings: Env
  Variables: {
    requestId: string
    /** Set on routes with `access: 'consumer'`. */
    consumer: ConsumerCaller
    /** Of the same routes: how the request is to be served. */
    options: RequestOptions
    /** Aliases of the Hosts that have taken Jobs of this request. */
    takenBy?: readonly string[]
    /** Set on routes with `access: 'user'`. */
    person: Person
    /** Set on routes whose access is a role, and on those of operators. */
    account: Account
    actor: Actor
  }
}

export type AppContext = Context<AppEnv>
export type Handler = (c: AppContext) => Promise<Response> | Response
