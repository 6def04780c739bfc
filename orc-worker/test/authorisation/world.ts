import { env } from 'cloudflare:workers'
import type {
  AccountCreated,
  KeyCreated,
  MemberRole,
  NetworkInvitationCreated,
  Session,
} from '@daisi/protocol'
import { readConfig } from '../../src/config.ts'
import { database } from '../../src/db/client.ts'
import { members, users } from '../../src/db/identity-schema.ts'
import { createLoginSession, revokeLoginSession } from '../../src/db/login-sessions.ts'
import { newId } from '../../src/domain/ids.ts'
import { LOGIN_MS, mintLoginCookie } from '../../src/domain/login-session.ts'
import { invite, makeGuest, newNetwork } from '../support/networks.ts'
import { call, newAccount, newEnrolment, newKey, operatorAccount } from '../support/orc.ts'
import { enrol, newHostKeys } from '../support/test-host.ts'

/** Somebody who is logged in. */
export interface LoggedIn {
  readonly userId: string
  readonly loginId: string
  /** Value of the `Cookie` header. */
  readonly cookie: string
}

const ROLES: readonly MemberRole[] = ['owner', 'admin', 'member', 'viewer']

/** Makes a person, a member of the account in this role where one is given. */
export async function person(
  account?: AccountCreated,
  role: MemberRole = 'member',
  now = Date.now(),
): Promise<LoggedIn> {
  const db = database(env)
  const userId = newId('usr')
  const row = { id: userId, email: `${userId}@example.org`, githubId: null, name: 'Somebody', createdAt: now }
  await db.insert(users).values(row)
  if (account !== undefined)
    await db.insert(members).values({ accountId: account.id, userId, role, createdAt: now })
  const { keys } = await readConfig(env)
  const login = await mintLoginCookie(keys.credentialMac)
  await createLoginSession(db, login, { userId, label: 'a browser' }, now)
  return { userId, loginId: login.sessionId, cookie: `__Host-daisi_login=${login.value}` }
}

/** Everything that somebody could want to get at, and everybody who should not. One for a test file. */
export async function newWorld() {
  const [victim, other, guest] = [
    await newAccount('victim'),
    await newAccount('other'),
    await newAccount('guest'),
  ]
  const operator = await operatorAccount()
  const key = await newKey(victim)
  const apps = await call('POST', '/api/apps', { token: victim.token, body: { name: 'app' } })
  const app = await apps.json<{ id: string }>()
  const hosts = { victim: await newHostKeys(), guest: await newHostKeys() }
  await enrol(hosts.victim, (await newEnrolment(victim)).token)
  await enrol(hosts.guest, (await newEnrolment(guest)).token)
  const network = await newNetwork(victim)
  await makeGuest(victim, network, guest)
  await call('PUT', `/api/hosts/${hosts.guest.id}/networks/${network}`, { token: guest.token })
  const invitation = await call('POST', `/api/networks/${network}/invitations`, {
    token: victim.token,
    body: { kind: 'account' },
  })
  const session = await call('POST', '/v1/sessions', { token: key.key, body: {} })
  const people = Object.fromEntries(
    await Promise.all(ROLES.map(async (role) => [role, await person(victim, role)] as const)),
  ) as Record<MemberRole, LoggedIn>
  return {
    victim,
    other,
    guest,
    operator,
    key,
    app,
    hosts,
    network,
    people,
    session: await session.json<Session>(),
    networkInvitation: await invitation.json<NetworkInvitationCreated>(),
    /** Belongs to `other`. */
    stranger: await person(other, 'owner'),
    foreignKey: await newKey(other),
    foreignNetworkToken: await invite(victim, network, 'account'),
  }
}
export type World = Awaited<ReturnType<typeof newWorld>>

/** A login that ended by itself. */
export async function expiredLogin(account: AccountCreated): Promise<LoggedIn> {
  return person(account, 'owner', Date.now() - LOGIN_MS - 1_000)
}

/** A login that was ended. */
export async function revokedLogin(account: AccountCreated): Promise<LoggedIn> {
  const login = await person(account, 'owner')
  await revokeLoginSession(database(env), login.loginId, Date.now())
  return login
}

/** A key whose time is over. */
export async function expiredKey(account: AccountCreated): Promise<KeyCreated> {
  const key = await newKey(account)
  await env.DB.prepare('UPDATE secret_keys SET expires_at = 1 WHERE id = ?').bind(key.id).run()
  return key
}

/** A key that was taken back. */
export async function revokedKey(account: AccountCreated): Promise<KeyCreated> {
  const key = await newKey(account)
  await call('DELETE', `/api/keys/${key.id}`, { token: account.token })
  return key
}

/** The token that an account had before it got another. */
export async function rotatedToken(): Promise<string> {
  const account = await newAccount('rotated')
  await call('POST', '/api/account/token', { token: account.token })
  return account.token
}
