import type { MemberRole } from '@daisi/protocol'
import { env } from 'cloudflare:workers'
import type { Route } from '../../src/routes/table.ts'
import { newEnrolment, newKey } from '../support/orc.ts'
import {
  type World,
  expiredKey,
  expiredLogin,
  person,
  revokedKey,
  revokedLogin,
  rotatedToken,
} from './world.ts'

/** Headers of a request. */
type Headers = Readonly<Record<string, string>>

/** Somebody who tries a route, and what they must be answered; null where they are let in. */
export interface Attempt {
  readonly who: string
  readonly headers: Headers
  readonly status: number | null
  readonly code?: string
}

const ORIGIN = 'https://orc.test'

function bearer(token: string): Headers {
  return { authorization: `Bearer ${token}` }
}
function browser(cookie: string, extra: Headers = {}): Headers {
  return { cookie, origin: ORIGIN, ...extra }
}

/** Credentials that are good for nothing, or for something else. The same for every test of a file. */
export async function badCredentials(world: World) {
  const { victim, key } = world
  return {
    expiredKey: (await expiredKey(victim)).key,
    revokedKey: (await revokedKey(victim)).key,
    rotatedToken: await rotatedToken(),
    expiredLogin: (await expiredLogin(victim)).cookie,
    revokedLogin: (await revokedLogin(victim)).cookie,
    enrolmentToken: (await newEnrolment(victim)).token,
    usageOnly: (await newKey(victim, { scopes: ['usage'] })).key,
    inferenceOnly: (await newKey(victim, { scopes: ['inference'] })).key,
    memberOfOperator: (await person(world.operator, 'owner')).cookie,
    tamperedKey: key.key.slice(0, -1) + (key.key.endsWith('A') ? 'B' : 'A'),
  }
}
export type BadCredentials = Awaited<ReturnType<typeof badCredentials>>

/** Everybody who tries a route with this access. */
export function attempts(route: Route, world: World, bad: BadCredentials): Attempt[] {
  switch (route.access) {
    case 'public':
    case 'host':
      return []
    case 'setup':
      return setupAttempts(world)
    case 'consumer':
      return consumerAttempts(route, world, bad)
    case 'user':
      return personAttempts(route, world, bad)
    case 'operator':
      return operatorAttempts(route, world, bad)
    case 'viewer':
    case 'member':
    case 'admin':
    case 'owner':
      return roleAttempts(route, route.access, world, bad)
  }
}

const refused = { status: 401 } as const

function setupAttempts({ victim, operator, key, people }: World): Attempt[] {
  return [
    { who: 'nobody', headers: {}, ...refused },
    { who: 'garbage', headers: bearer('x'), ...refused },
    { who: 'an account', headers: bearer(victim.token), ...refused },
    { who: 'the operator', headers: bearer(operator.token), ...refused },
    { who: 'a key', headers: bearer(key.key), ...refused },
    { who: 'a person', headers: browser(people.owner.cookie), ...refused },
    { who: 'the setup token', headers: bearer(env.SETUP_TOKEN), status: null },
  ]
}

function consumerAttempts({ method, path }: Route, world: World, bad: BadCredentials): Attempt[] {
  const { key, victim, people, foreignKey, network } = world
  const needsScope = ['/v1/usage', '/v1/balance'].includes(path) ? bad.inferenceOnly : bad.usageOnly
  const scope = { status: 403, code: 'insufficient_scope' }
  const elsewhere = { ...bearer(key.key), 'daisi-network': network }
  const namesSession = path.includes(':session')
  return [
    { who: 'nobody', headers: {}, ...refused },
    { who: 'garbage', headers: bearer('x'), ...refused },
    { who: 'a tampered key', headers: bearer(bad.tamperedKey), ...refused },
    { who: 'a revoked key', headers: bearer(bad.revokedKey), ...refused },
    { who: 'an expired key', headers: bearer(bad.expiredKey), ...refused },
    { who: 'an account token', headers: bearer(victim.token), ...refused },
    { who: 'an enrolment token', headers: bearer(bad.enrolmentToken), ...refused },
    { who: 'a login', headers: browser(people.owner.cookie), ...refused },
    ...(namesSession
      ? [{ who: 'another account’s key', headers: bearer(foreignKey.key), status: 404, code: 'not_found' }]
      : [
          { who: 'a key without the scope', headers: bearer(needsScope), ...scope },
          {
            who: 'a key on a Network that it may not use',
            headers: elsewhere,
            status: 403,
            code: 'network_not_allowed',
          },
        ]),
    // Closing is the last thing that is done to a Session.
    ...(method === 'DELETE' ? [] : [{ who: 'the key', headers: bearer(key.key), status: null }]),
  ]
}

function loginAttempts(route: Route, world: World, bad: BadCredentials): Attempt[] {
  const elsewhere = { cookie: world.people.owner.cookie, origin: 'https://evil.example' }
  const unnamed = { cookie: world.people.owner.cookie }
  const crossSite = { status: 403, code: 'cross_site_request' }
  return [
    { who: 'nobody', headers: {}, ...refused },
    { who: 'a made-up cookie', headers: browser('__Host-daisi_login=daisi_ls_x'), ...refused },
    { who: 'an expired login', headers: browser(bad.expiredLogin), ...refused },
    { who: 'a revoked login', headers: browser(bad.revokedLogin), ...refused },
    { who: 'a key', headers: bearer(world.key.key), ...refused },
    { who: 'garbage', headers: bearer('x'), ...refused },
    ...(route.method === 'GET'
      ? []
      : [
          { who: 'another site', headers: elsewhere, ...crossSite },
          { who: 'a request that no page sent', headers: unnamed, ...crossSite },
        ]),
  ]
}

function personAttempts(route: Route, world: World, bad: BadCredentials): Attempt[] {
  return [
    ...loginAttempts(route, world, bad),
    { who: 'an account token', headers: bearer(world.victim.token), ...refused },
    { who: 'the operator', headers: bearer(world.operator.token), ...refused },
  ]
}

function operatorAttempts(route: Route, world: World, bad: BadCredentials): Attempt[] {
  const forbidden = { status: 403, code: 'forbidden' }
  return [
    ...loginAttempts(route, world, bad),
    { who: 'a rotated token', headers: bearer(bad.rotatedToken), ...refused },
    { who: 'an account', headers: bearer(world.victim.token), ...forbidden },
    { who: 'an owner of an account', headers: browser(world.people.owner.cookie), ...forbidden },
    { who: 'an owner of the operator account', headers: browser(bad.memberOfOperator), ...forbidden },
  ]
}

const BELOW: Readonly<Record<MemberRole, MemberRole | undefined>> = {
  viewer: undefined,
  member: 'viewer',
  admin: 'member',
  owner: 'admin',
}

function roleAttempts(route: Route, role: MemberRole, world: World, bad: BadCredentials): Attempt[] {
  const { victim, other, people, stranger } = world
  const below = BELOW[role]
  const claims = browser(stranger.cookie, { 'daisi-account': victim.id })
  const isOthersThing = route.path.includes(':')
  return [
    ...loginAttempts(route, world, bad),
    { who: 'a rotated token', headers: bearer(bad.rotatedToken), ...refused },
    { who: 'an enrolment token', headers: bearer(bad.enrolmentToken), ...refused },
    { who: 'somebody who claims the account', headers: claims, status: 404, code: 'not_found' },
    ...(below === undefined
      ? []
      : [{ who: `a ${below}`, headers: browser(people[below].cookie), status: 403, code: 'forbidden' }]),
    ...(isOthersThing
      ? [
          { who: 'another account', headers: bearer(other.token), status: 404, code: 'not_found' },
          {
            who: 'an owner of another account',
            headers: browser(stranger.cookie),
            status: 404,
            code: 'not_found',
          },
        ]
      : []),
    ...(route.method === 'GET'
      ? [{ who: `a ${role}`, headers: browser(people[role].cookie), status: null }]
      : []),
  ]
}
