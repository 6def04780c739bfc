import { type DerivedKeys, deriveKeys } from './domain/keys.ts'
import { type SigningKeys, readSigningKeys } from './domain/session-token.ts'

/** Version of the Orc, shown in `/.well-known/daisi`. */
export const ORC_VERSION = '0.1.0'

/** The Network that a request uses when it names none. */
export const PUBLIC_NETWORK = 'public'

/** What the Worker knows about itself: parsed from the environment once for each isolate. */
export interface Config {
  readonly name: string
  readonly issuer: string
  readonly keys: DerivedKeys
  readonly signing: SigningKeys
  /** Credits that a new account gets. */
  readonly signupGrant: number
}

let cached: { env: Env; config: Promise<Config> } | undefined

/** The configuration. Rejects with what is wrong and how to set it; the reason never holds a secret. */
export function readConfig(env: Env): Promise<Config> {
  if (cached?.env.ORC_SECRET !== env.ORC_SECRET || cached.env.SIGNING_KEYS !== env.SIGNING_KEYS) {
    cached = { env, config: parse(env) }
  }
  return cached.config
}

async function parse(env: Env): Promise<Config> {
  const [keys, signing] = await Promise.all([deriveKeys(env.ORC_SECRET), readSigningKeys(env.SIGNING_KEYS)])
  const signupGrant = Number(env.SIGNUP_GRANT)
  if (!Number.isSafeInteger(signupGrant) || signupGrant < 0) {
    throw new Error('SIGNUP_GRANT must be a whole number of credits from 0 up')
  }
  return { name: env.ORC_NAME, issuer: keys.issuer, keys, signing, signupGrant }
}
