import { networkName } from '@daisi/protocol'
import { PUBLIC_NETWORK, readConfig } from '../config.ts'
import { findAccountByToken } from '../db/accounts.ts'
import { database } from '../db/client.ts'
import { type CredentialKind, checkCredential } from '../domain/credential.ts'
import { openedSessionName, plainSessionName, sessionStub } from '../objects/stubs.ts'
import type { AppContext } from './context.ts'
import { ApiError } from './errors.ts'

/** Characters of the shortest `SETUP_TOKEN` that is one. */
const MIN_SETUP_TOKEN = 16

/** Who may call a route. Every route in the table names one; there is no default. */
export type Access = 'public' | 'setup' | 'consumer' | 'account' | 'operator' | 'host'

/** Lets the caller in or throws. */
export const admit: Readonly<Record<Access, (c: AppContext) => Promise<void>>> = {
  public: async () => {},
  // The Host's own routes carry a challenge, a one-time token or a signed proof and check it themselves.
  host: async () => {},
  setup: admitSetup,
  consumer: admitConsumer,
  account: admitAccount,
  operator: admitOperator,
}

/** Checks the Secret Key's checksum and finds the Session it belongs to; the Session checks the rest (rule A4). */
async function admitConsumer(c: AppContext): Promise<void> {
  const config = await readConfig(c.env)
  const keyHash = await readCredential(c, 'secret-key', config.keys.credentialMac)
  const network = c.req.header('daisi-network') ?? PUBLIC_NETWORK
  if (!networkName.safeParse(network).success) {
    throw new ApiError({
      code: 'invalid_request',
      message: 'Daisi-Network is not a Network name.',
      param: 'Daisi-Network',
    })
  }
  if (network !== PUBLIC_NETWORK) {
    // No object is made for a Network that does not exist here; the key is looked at first all the same.
    const plain = sessionStub(c.env, plainSessionName(keyHash, PUBLIC_NETWORK))
    const authorized = await plain.authorize(keyHash, PUBLIC_NETWORK, 'inference')
    const message = 'This key may not use this Network. Name another with the header Daisi-Network.'
    throw new ApiError(authorized.ok ? { code: 'network_not_allowed', message } : authorized)
  }
  const sessionId = c.req.param('session') ?? c.req.header('daisi-session')
  if (sessionId === undefined) {
    c.set('consumer', { keyHash, network, sessionName: plainSessionName(keyHash, network), config })
    return
  }
  if ((await checkCredential('session-id', sessionId, config.keys.credentialMac)) === undefined) {
    // A made-up Session has no object of its own to refuse a bad key.
    const plain = sessionStub(c.env, plainSessionName(keyHash, network))
    const authorized = await plain.authorize(keyHash, network, 'sessions')
    if (!authorized.ok) throw new ApiError(authorized)
    throw new ApiError({
      code: 'not_found',
      message: 'There is no such Session. Open one with POST /v1/sessions.',
    })
  }
  c.set('consumer', { keyHash, network, sessionName: openedSessionName(sessionId), config })
}

async function admitAccount(c: AppContext): Promise<void> {
  const { keys } = await readConfig(c.env)
  const tokenHash = await readCredential(c, 'account-token', keys.credentialMac)
  const account = await findAccountByToken(database(c.env), tokenHash)
  if (account === undefined) throw invalidCredential()
  c.set('account', account)
}

async function admitOperator(c: AppContext): Promise<void> {
  await admitAccount(c)
  if (!c.var.account.operator) {
    throw new ApiError({ code: 'forbidden', message: 'Only an operator account may do this.' })
  }
}

async function admitSetup(c: AppContext): Promise<void> {
  // An Orc without a proper token has no door here at all.
  if (typeof c.env.SETUP_TOKEN !== 'string' || c.env.SETUP_TOKEN.length < MIN_SETUP_TOKEN)
    throw invalidCredential()
  const given = new TextEncoder().encode(bearer(c))
  const [a, b] = await Promise.all([digest(given), digest(new TextEncoder().encode(c.env.SETUP_TOKEN))])
  if (!crypto.subtle.timingSafeEqual(a, b)) throw invalidCredential()
}

/** The storage hash of the caller's credential. Throws before any storage is touched if it was made up. */
async function readCredential(c: AppContext, kind: CredentialKind, macKey: CryptoKey): Promise<string> {
  const hash = await checkCredential(kind, bearer(c), macKey)
  if (hash === undefined) throw invalidCredential()
  return hash
}

/** The Bearer token of the request (RFC 6750 §2.1). */
export function bearer(c: AppContext): string {
  const header = c.req.header('authorization')
  if (header === undefined) {
    throw new ApiError({
      code: 'missing_credentials',
      message: 'Send the header `Authorization: Bearer <key>`.',
    })
  }
  const [, token = ''] = /^Bearer ([\u0021-\u007e]{1,8192})$/i.exec(header) ?? []
  return token
}

/** The one answer to every wrong credential. */
export function invalidCredential(): ApiError {
  return new ApiError({
    code: 'invalid_api_key',
    message: 'This key is not valid here. Check it, or create a new one.',
  })
}

function digest(bytes: Uint8Array): Promise<ArrayBuffer> {
  return crypto.subtle.digest('SHA-256', bytes)
}
