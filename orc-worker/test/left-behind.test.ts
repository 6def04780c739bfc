import { env } from 'cloudflare:workers'
import type { AccountCreated, InvitationView } from '@daisi/protocol'
import { expect, test } from 'vitest'
import { replaceToken } from '../src/db/accounts.ts'
import { database } from '../src/db/client.ts'
import { decideDeviceGrant } from '../src/db/device-grants.ts'
import { offerTransfer } from '../src/db/host-transfers.ts'
import { createEnrolment } from '../src/db/hosts.ts'
import { changeMemberRole } from '../src/db/members.ts'
import { createInvitation } from '../src/db/network-invitations.ts'
import { readConfig } from '../src/config.ts'
import { ISSUER_ROLE } from '../src/domain/roles.ts'
import { routes } from '../src/routes/table.ts'
import { newGrant, oauthError, poll } from './support/device.ts'
import { accept, newNetwork } from './support/networks.ts'
import { call, newAccount, newEnrolment } from './support/orc.ts'
import { type Member, accept as acceptMembership, join, refusal } from './support/team.ts'
import { enrol, newHostKeys } from './support/test-host.ts'

/** Requests with an account's token. */
function withToken(token: string): Member['act'] {
  return (method, path, body) => call(method, path, { token, ...(body === undefined ? {} : { body }) })
}

async function tokenOf(response: Response): Promise<string> {
  if (response.status >= 300) throw new Error(`${response.status} ${await response.text()}`)
  return (await response.json<{ token: string }>()).token
}

/** An account with an owner, a private Network and a Host. */
async function newTeam() {
  const account = await newAccount('team')
  const host = await newHostKeys()
  await enrol(host, (await newEnrolment(account)).token)
  return { account, host: host.id, network: await newNetwork(account), boss: await join(account, 'owner') }
}
type Team = Awaited<ReturnType<typeof newTeam>>

const THINGS = ['network invitation', 'host invitation', 'transfer', 'enrolment', 'approval'] as const
type Thing = (typeof THINGS)[number]

/** Whether each of these still lets anybody in. */
type Doors = Readonly<Record<Thing, () => Promise<boolean>>>

/** Leaves everything behind that lets somebody in later. */
async function leave(
  { act }: Pick<Member, 'act'>,
  { network, host }: Team,
  things: readonly Thing[] = THINGS,
): Promise<Partial<Doors>> {
  const stranger = await newAccount('stranger')
  const made: Partial<Record<Thing, () => Promise<boolean>>> = {}
  const path = `/api/networks/${network}/invitations`
  if (things.includes('network invitation')) {
    const token = await tokenOf(await act('POST', path, { kind: 'account' }))
    made['network invitation'] = async () => (await accept(stranger, token)).status === 200
  }
  if (things.includes('host invitation')) {
    const keys = await newHostKeys()
    await enrol(keys, (await newEnrolment(stranger)).token)
    const token = await tokenOf(await act('POST', path, { kind: 'host' }))
    made['host invitation'] = async () => (await accept(stranger, token, keys.id)).status === 200
  }
  if (things.includes('transfer')) {
    const token = await tokenOf(await act('POST', `/api/hosts/${host}/transfer`))
    made.transfer = async () =>
      (await call('POST', '/api/host-transfers/accept', { token: stranger.token, body: { token } }))
        .status === 200
  }
  if (things.includes('enrolment')) {
    const token = await tokenOf(await act('POST', '/api/host-enrolments', { network, ttl_seconds: 604_800 }))
    made.enrolment = async () => (await enrol(await newHostKeys(), token)).status === 200
  }
  if (things.includes('approval')) {
    const grant = await newGrant({ network })
    expect((await act('POST', '/api/device/approve', { user_code: grant.user_code })).status).toBe(200)
    made.approval = async () => (await poll(grant.device_code)).status === 200
  }
  return made
}

/** Which of them let somebody in. */
async function open(doors: Partial<Doors>): Promise<string[]> {
  const found: string[] = []
  for (const [thing, isOpen] of Object.entries(doors)) if (await isOpen()) found.push(thing)
  return found
}

const ADMINS = THINGS.filter((thing) => thing !== 'transfer')
const MEMBERS = ['enrolment', 'approval'] as const

test('what is taken back with a role takes this role to give out', () => {
  const needed = (method: string, path: string) =>
    routes.find((route) => route.method === method && route.path === path)?.access
  expect(ISSUER_ROLE).toEqual({
    accountToken: needed('POST', '/api/account/token'),
    hostTransfer: needed('POST', '/api/hosts/:host/transfer'),
    networkInvitation: needed('POST', '/api/networks/:network/invitations'),
    enrolment: needed('POST', '/api/host-enrolments'),
    deviceApproval: needed('POST', '/api/device/approve'),
  })
})

test.for([
  ['owner', 'nobody', THINGS, []],
  ['owner', 'admin', THINGS, ADMINS],
  ['owner', 'member', THINGS, MEMBERS],
  ['owner', 'viewer', THINGS, []],
  ['owner', 'owner', THINGS, THINGS],
  ['admin', 'nobody', ADMINS, []],
  ['admin', 'member', ADMINS, MEMBERS],
  ['admin', 'owner', ADMINS, ADMINS],
  ['member', 'nobody', MEMBERS, []],
  ['member', 'viewer', MEMBERS, []],
] as const)(
  '[I7] of what an %s issued who is now %s, nothing is left that this does not cover',
  async ([before, after, made, kept]) => {
    const team = await newTeam()
    const person = await join(team.account, before)
    const others = await leave(team.boss, { ...team, host: await anotherHost(team) })
    const doors = await leave(person, team, made)
    const path = `/api/members/${person.id}`
    const change =
      after === 'nobody' ? team.boss.act('DELETE', path) : team.boss.act('PATCH', path, { role: after })
    expect((await change).status).toBe(204)
    expect(await open(doors)).toEqual([...kept])
    expect(await open(others)).toEqual([...THINGS])
  },
)

async function anotherHost({ account }: Team): Promise<string> {
  const keys = await newHostKeys()
  await enrol(keys, (await newEnrolment(account)).token)
  return keys.id
}

test('[I7] who leaves by themselves leaves nothing behind either', async () => {
  const team = await newTeam()
  const admin = await join(team.account, 'admin')
  const doors = await leave(admin, team, ADMINS)
  expect((await admin.act('DELETE', `/api/members/${admin.id}`)).status).toBe(204)
  expect(await open(doors)).toEqual([])
})

test('[I7] an enrolment token for an approved Host ends with who approved it, and one that was used too', async () => {
  const team = await newTeam()
  const member = await join(team.account, 'member')
  const [approved, used] = [await newHostKeys(), await newHostKeys()]
  const grant = await newGrant({ host_id: approved.id })
  await member.act('POST', '/api/device/approve', { user_code: grant.user_code })
  const { access_token } = await (await poll(grant.device_code)).json<{ access_token: string }>()
  const token = await tokenOf(await member.act('POST', '/api/host-enrolments', {}))
  expect((await enrol(used, token)).status).toBe(200)
  expect((await enrol(used, token)).status).toBe(200)
  await team.boss.act('DELETE', `/api/members/${member.id}`)
  expect(await refusal(await enrol(approved, access_token))).toEqual([401, 'invalid_api_key'])
  expect(await refusal(await enrol(used, token))).toEqual([401, 'invalid_api_key'])
})

test('[I7] an approval that ended is told to the Host as a refusal', async () => {
  const team = await newTeam()
  const member = await join(team.account, 'member')
  const grant = await newGrant()
  await member.act('POST', '/api/device/approve', { user_code: grant.user_code })
  await team.boss.act('DELETE', `/api/members/${member.id}`)
  expect(await oauthError(await poll(grant.device_code))).toEqual([400, 'access_denied'])
})

test.for([
  ['is removed', 'DELETE', undefined],
  ['becomes an admin', 'PATCH', { role: 'admin' }],
] as const)(
  '[I7] the token of an owner who %s ends, with all that was issued by it',
  async ([, method, body]) => {
    const team = await newTeam()
    const former = await join(team.account, 'owner')
    const token = await tokenOf(await former.act('POST', '/api/account/token'))
    const act = withToken(token)
    const doors = await leave({ act }, team)
    const invited = await act('POST', '/api/members', { email: former.email, role: 'owner' })
    const { id } = await invited.json<InvitationView>()
    expect((await team.boss.act(method, `/api/members/${former.id}`, body)).status).toBe(204)
    expect(await refusal(await act('GET', '/api/account'))).toEqual([401, 'invalid_api_key'])
    expect(await refusal(await acceptMembership(former.browser, id))).toEqual([404, 'not_found'])
    expect(await open(doors)).toEqual([])
    const fresh = await tokenOf(await team.boss.act('POST', '/api/account/token'))
    expect((await withToken(fresh)('GET', '/api/account')).status).toBe(200)
  },
)

test('[I7] a token that a token made is still its first maker’s', async () => {
  const team = await newTeam()
  const former = await join(team.account, 'owner')
  const first = await tokenOf(await former.act('POST', '/api/account/token'))
  const second = await tokenOf(await withToken(first)('POST', '/api/account/token'))
  await team.boss.act('DELETE', `/api/members/${former.id}`)
  expect(await refusal(await withToken(second)('GET', '/api/account'))).toEqual([401, 'invalid_api_key'])
})

test('[I7] a token that somebody else made goes on', async () => {
  const team = await newTeam()
  const former = await join(team.account, 'owner')
  await former.act('POST', '/api/account/token')
  const token = await tokenOf(await team.boss.act('POST', '/api/account/token'))
  const doors = await leave({ act: withToken(token) }, team)
  await team.boss.act('DELETE', `/api/members/${former.id}`)
  expect((await withToken(token)('GET', '/api/account')).status).toBe(200)
  expect(await open(doors)).toEqual([...THINGS])
})

test('[I5] another token ends what was issued by the one before, and nothing else', async () => {
  const team = await newTeam()
  const doors = await leave({ act: withToken(team.account.token) }, team)
  const others = await leave(team.boss, { ...team, host: await anotherHost(team) })
  const other = await newTeam()
  const foreign = await leave({ act: withToken(other.account.token) }, other)
  await tokenOf(await withToken(team.account.token)('POST', '/api/account/token'))
  expect(await open(doors)).toEqual([])
  expect(await open(others)).toEqual([...THINGS])
  expect(await open(foreign)).toEqual([...THINGS])
})

/** Tries, as a request does that was let in before its caller lost everything. */
async function late(team: Team, by: Parameters<typeof createEnrolment>[1]['by']): Promise<unknown[]> {
  const { account, network, host } = team
  const [db, now] = [database(env), Date.now()]
  const expiresAt = now + 60_000
  const grant = await newGrant()
  const { keys } = await readConfig(env)
  const own = { accountId: account.id, by }
  const random = (): string => crypto.randomUUID()
  const invitation = { id: random(), hash: random(), kind: 'account', network, expiresAt } as const
  return [
    await createInvitation(db, { ...own, ...invitation }, now),
    await offerTransfer(db, { ...own, hash: random(), hostId: host, expiresAt }, now),
    await createEnrolment(db, { ...own, hash: random(), network, expiresAt }, now),
    (await decideDeviceGrant(db, keys, grant.user_code, { ...own, approve: true }, now)).ok,
    await replaceToken(db, { ...own, tokenHash: random() }, now),
    await changeMemberRole(db, { ...own, userId: team.boss.id }, 'viewer', now),
  ]
}

test('[I7] a request that is under way while its caller is sent away issues nothing', async () => {
  const team = await newTeam()
  const former = await join(team.account, 'owner')
  await join(team.account, 'owner')
  await team.boss.act('DELETE', `/api/members/${former.id}`)
  const nothing = [false, false, false, false, false, 'above']
  expect(await late(team, { role: 'owner', userId: former.id })).toEqual(nothing)
  const { tokenHash = '' } = (await tokenHashOf(team.account)) ?? {}
  await tokenOf(await team.boss.act('POST', '/api/account/token'))
  expect(await late(team, { role: 'owner', tokenHash })).toEqual(nothing)
  expect(await late(team, { role: 'owner', userId: team.boss.id })).toEqual([
    true,
    true,
    true,
    true,
    true,
    'done',
  ])
})

function tokenHashOf({ id }: AccountCreated): Promise<{ tokenHash: string } | null> {
  return env.DB.prepare('select token_hash tokenHash from accounts where id = ?').bind(id).first()
}
