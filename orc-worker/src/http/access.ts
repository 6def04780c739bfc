import { admitOperator, admitRole, admitUser } from './account-access.ts'
import { bearer, invalidCredential } from './bearer.ts'
import { admitConsumer } from './consumer-access.ts'
import type { AppContext } from './context.ts'

/** Characters of the shortest `SETUP_TOKEN` that is one. */
const MIN_SETUP_TOKEN = 16

/** Who may call a route. Every route in the table names one; there is no default. A role means that role or a higher one. */
export type Access =
  | 'public'
  | 'setup'
  | 'consumer'
  | 'host'
  | 'user'
  | 'viewer'
  | 'member'
  | 'admin'
  | 'owner'
  | 'operator'

/** Lets the caller in or throws. */
export const admit: Readonly<Record<Access, (c: AppContext) => Promise<void>>> = {
  public: async () => {},
  // The Host's own routes carry a challenge, a one-time token or a signed proof and check it themselves.
  host: async () => {},
  user: admitUser,
  setup: admitSetup,
  consumer: admitConsumer,
  viewer: admitRole('viewer'),
  member: admitRole('member'),
  admin: admitRole('admin'),
  owner: admitRole('owner'),
  operator: admitOperator,
}

async function admitSetup(c: AppContext): Promise<void> {
  // An Orc without a proper token has no door here at all.
  if (typeof c.env.SETUP_TOKEN !== 'string' || c.env.SETUP_TOKEN.length < MIN_SETUP_TOKEN)
    throw invalidCredential()
  const given = new TextEncoder().encode(bearer(c))
  const [a, b] = await Promise.all([digest(given), digest(new TextEncoder().encode(c.env.SETUP_TOKEN))])
  if (!crypto.subtle.timingSafeEqual(a, b)) throw invalidCredential()
}

function digest(bytes: Uint8Array): Promise<ArrayBuffer> {
  return crypto.subtle.digest('SHA-256', bytes)
}
