import type { AccountCreated, AppCreated, EnrolmentCreated, KeyCreated } from '../../protocol/src/index.ts'
import { HostIdentity } from '../../bench/support/host-identity.ts'
import type { World } from './world.ts'

export const CLIENT_ID = 'daisi-host'
export const LOGIN_COOKIE = '__Host-daisi_login'

/**
 * Accounts, people and things that inputs may use up, by name. Every batch gets new ones: an input may remove whatever it wants.
 */
export interface Cast {
  /** What goes into `Authorization: Bearer`. */
  readonly tokens: Readonly<
    Record<'key' | 'narrowKey' | 'browserToken' | 'account' | 'otherAccount' | 'setup' | 'enrolment', string>
  >
  /** Values of the login cookie. */
  readonly cookies: Readonly<Record<'owner' | 'viewer' | 'operator', string>>
  /** Values of the parameters of paths, by the name of the parameter: one's own, and those of others. */
  readonly ids: Readonly<Record<string, readonly [own: string, other: string]>>
  /** One-time tokens and codes that bodies carry. */
  readonly things: Readonly<
    Record<
      | 'deviceCode'
      | 'userCode'
      | 'networkInvitation'
      | 'hostInvitation'
      | 'transfer'
      | 'flow'
      | 'email'
      | 'enrolmentToken'
      | 'enrolmentProof'
      | 'connectProof',
      string
    >
  >
  /** Passkeys that are about to be made, or to log somebody in: each good for one answer. */
  readonly passkeys: Readonly<
    Record<'registration' | 'login', readonly { flow: string; challenge: string }[]>
  >
}

/** Begun passkey ceremonies of each kind. */
const CEREMONIES = 6

type Json = Record<string, unknown>

/** Makes a cast. Its names depend on the number of the batch only. */
export async function newCast(world: World, batch: number): Promise<Cast> {
  const { url, root, watch } = world
  const post = <Answer extends object = Json>(path: string, token: string, body: object): Promise<Answer> =>
    send(url, 'POST', path, { authorization: `Bearer ${token}` }, body)
  const account = await post<AccountCreated>('/api/accounts', root.token, { name: `one ${batch}` })
  const other = await post<AccountCreated>('/api/accounts', root.token, { name: `two ${batch}` })
  const app = await post<AppCreated>('/api/apps', account.token, { name: 'app' })
  const otherApp = await post<AppCreated>('/api/apps', other.token, { name: 'app' })
  const newKey = (token: string, id: string, rights: object): Promise<KeyCreated> =>
    post<KeyCreated>(`/api/apps/${id}/keys`, token, { name: 'key', ...rights })
  const key = await newKey(account.token, app.id, { scopes: ['inference', 'sessions', 'usage'] })
  const narrowKey = await newKey(account.token, app.id, { scopes: ['usage'], budget: 1 })
  const otherKey = await newKey(other.token, otherApp.id, { scopes: ['inference', 'sessions', 'usage'] })
  const session = await post<{ id: string }>('/v1/sessions', key.key, {})
  const otherSession = await post<{ id: string }>('/v1/sessions', otherKey.key, {})
  const browser = await post<{ token?: string }>('/v1/tokens', key.key, { origins: null })

  const network = `net-${batch}`
  const otherNetwork = `other-${batch}`
  await post('/api/networks', account.token, { name: network })
  await post('/api/networks', other.token, { name: otherNetwork })
  const invite = (token: string, name: string, kind: string): Promise<{ id: string; token: string }> =>
    post(`/api/networks/${name}/invitations`, token, { kind })
  const ownInvitation = await invite(account.token, network, 'account')
  const networkInvitation = await invite(other.token, otherNetwork, 'account')
  const hostInvitation = await invite(other.token, otherNetwork, 'host')

  const enrolmentOf = (token: string): Promise<EnrolmentCreated> => post('/api/host-enrolments', token, {})
  const host = await HostIdentity.enrol(url, (await enrolmentOf(account.token)).token)
  const otherHost = await HostIdentity.enrol(url, (await enrolmentOf(other.token)).token)
  const transfer = await post<{ token: string }>(`/api/hosts/${otherHost.hostId}/transfer`, other.token, {})
  const enrolment = await enrolmentOf(account.token)

  const viewerEmail = `viewer-${batch}@example.com`
  const operatorEmail = `operator-${batch}@example.com`
  const email = `owner-${batch}@example.com`
  const owner = await logIn(world, email)
  await post('/api/members', account.token, { email: viewerEmail, role: 'viewer' })
  const viewer = await logIn(world, viewerEmail)
  const operator = await logIn(world, operatorEmail)
  await post('/api/operators', root.token, { email: operatorEmail })
  const asPerson = <Answer extends object>(
    cookie: string,
    method: string,
    path: string,
    body?: object,
  ): Promise<Answer> => send(url, method, path, { cookie: `${LOGIN_COOKIE}=${cookie}` }, body)
  const invitations = await asPerson<{ invitations: { id: string }[] }>(viewer, 'GET', '/api/me/invitations')
  const invitation = invitations.invitations[0]?.id ?? 'none'
  await asPerson(viewer, 'POST', `/api/me/invitations/${invitation}/accept`, {})
  const me = await asPerson<{ id: string; accounts: { id: string }[] }>(owner, 'GET', '/api/me')
  const viewerMe = await asPerson<{ id: string }>(viewer, 'GET', '/api/me')
  const sessions = await asPerson<{ sessions: { id: string }[] }>(owner, 'GET', '/api/me/sessions')
  const { flow } = await send<{ flow: string }>(url, 'POST', '/api/login/email', {}, { email })
  const form = new URLSearchParams({ client_id: CLIENT_ID, host_id: host.hostId })
  const device = await send<{ device_code: string; user_code: string }>(
    url,
    'POST',
    '/oauth/device_authorization',
    {},
    form,
  )

  const ceremonies = (path: string, cookie?: string): Promise<{ flow: string; challenge: string }[]> =>
    Promise.all(
      Array.from({ length: CEREMONIES }, async () => {
        const headers = cookie === undefined ? {} : { cookie: `${LOGIN_COOKIE}=${cookie}` }
        const begun = await send<{ flow: string; options: { challenge: string } }>(
          url,
          'POST',
          path,
          headers,
          {},
        )
        return { flow: begun.flow, challenge: begun.options.challenge }
      }),
    )
  const passkeys = {
    registration: await ceremonies('/api/me/passkeys/options', owner),
    login: await ceremonies('/api/login/passkey/options'),
  }

  const tokens = {
    key: key.key,
    narrowKey: narrowKey.key,
    browserToken: browser.token ?? key.key,
    account: account.token,
    otherAccount: other.token,
    setup: world.orc.setupToken,
    enrolment: enrolment.token,
  }
  const cookies = { owner, viewer, operator }
  const things = {
    deviceCode: device.device_code,
    userCode: device.user_code,
    networkInvitation: networkInvitation.token,
    hostInvitation: hostInvitation.token,
    transfer: transfer.token,
    flow,
    email,
    enrolmentToken: enrolment.token,
    enrolmentProof: await host.proof('enrol'),
    connectProof: await host.proof('connect'),
  }
  for (const secret of [...Object.values(tokens), ...Object.values(cookies), otherKey.key]) watch.add(secret)
  for (const secret of [
    things.deviceCode,
    things.networkInvitation,
    things.hostInvitation,
    things.transfer,
    flow,
  ])
    watch.add(secret)
  const none = 'nothing'
  return {
    tokens,
    cookies,
    things,
    passkeys,
    ids: {
      account: [account.id, other.id],
      app: [app.id, otherApp.id],
      key: [key.id, otherKey.id],
      session: [session.id, otherSession.id],
      loginSession: [sessions.sessions[0]?.id ?? none, none],
      network: [network, otherNetwork],
      host: [host.hostId, world.host.hostId],
      user: [viewerMe.id, me.id],
      invitation: [ownInvitation.id, networkInvitation.id],
      model: ['daisi-nano', 'nothing/else'],
      ownAccount: [me.accounts[0]?.id ?? none, account.id],
    },
  }
}

/** Logs somebody in by e-mail and answers the value of the cookie. */
async function logIn(world: World, email: string): Promise<string> {
  const code = world.loginCode(email)
  const { flow } = await send<{ flow: string }>(world.url, 'POST', '/api/login/email', {}, { email })
  const response = await fetch(new URL('/api/login/email/verify', world.url), {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: world.url },
    body: JSON.stringify({ flow, code: await code }),
  })
  const [, cookie] =
    new RegExp(`${LOGIN_COOKIE}=([^;]+)`).exec(response.headers.get('set-cookie') ?? '') ?? []
  if (cookie === undefined)
    throw new Error(`${email} was not logged in: ${response.status} ${await response.text()}`)
  await response.body?.cancel()
  return cookie
}

/** One request that must succeed. */
async function send<Answer extends object>(
  url: string,
  method: string,
  path: string,
  headers: Record<string, string>,
  body?: object,
): Promise<Answer> {
  const isForm = body instanceof URLSearchParams
  const response = await fetch(new URL(path, url), {
    method,
    headers: {
      origin: url,
      ...(isForm || body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: isForm ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${path} was answered ${response.status}: ${text}`)
  const answer: Answer = JSON.parse(text === '' ? '{}' : text)
  return answer
}
