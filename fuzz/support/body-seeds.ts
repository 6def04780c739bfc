import { type Cast, CLIENT_ID } from './cast.ts'
import { oddString } from './odd-values.ts'
import type { Random } from './random.ts'
import { PROMPT_MARK } from './secret-watch.ts'
import { NANO } from './world.ts'

/** A body that its route takes: JSON, or the fields of a form. */
export type BodySeed =
  | { readonly kind: 'json'; readonly value: unknown }
  | { readonly kind: 'form'; readonly fields: readonly (readonly [name: string, value: string])[] }

type Maker = (cast: Cast, random: Random) => object
type FormMaker = (cast: Cast, random: Random) => Record<string, string>

const OKP = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' } as const

/** What is put into a chat: short, and marked so that it is recognised where it must not be. */
function prompt(random: Random): string {
  return `${PROMPT_MARK} ${random.pick(['Hello', 'How are you?', 'What is 2 + 2?', oddString(random)])}`
}

/** Some of the optional fields. */
function some(random: Random, fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(() => random.chance(0.4)))
}

const chat: Maker = (_, random) => ({
  model: random.chance(0.95) ? NANO : 'nothing',
  messages: [
    ...(random.chance(0.2) ? [{ role: 'system', content: 'Be short.' }] : []),
    { role: 'user', content: random.chance(0.8) ? prompt(random) : [{ type: 'text', text: prompt(random) }] },
  ],
  max_tokens: 1 + random.below(8),
  ...some(random, {
    temperature: 0,
    top_p: 0.5,
    seed: 7,
    frequency_penalty: 0.5,
    logit_bias: { 7: -100 },
    top_k: 40,
    min_p: 0.05,
    repeat_penalty: 1.1,
    stop: ['!', '.'],
    stream: true,
    stream_options: { include_usage: true },
    n: 1,
    user: 'somebody',
    daisi: { network: 'public', exclude_hosts: ['calm-heron-3f9a1c'], wait: 0.1, mode: 'orchestrated' },
  }),
})

const keyRights: Maker = (cast, random) =>
  some(random, {
    scopes: ['inference', 'usage'],
    networks: ['public', cast.ids['network']?.[0]],
    models: [NANO],
    spend_order: ['own', 'public'],
    budget: 1_000,
    ttl_seconds: 3_600,
  })

const credential = (cast: Cast, random: Random, kind: 'registration' | 'login'): object => {
  const ceremony = random.pick(cast.passkeys[kind])
  const client = {
    type: kind === 'login' ? 'webauthn.get' : 'webauthn.create',
    challenge: ceremony.challenge,
    origin: 'http://localhost',
    crossOrigin: false,
  }
  const bytes = (length: number): string => random.bytes(length).toString('base64url')
  // CBOR of {"fmt": "none", "attStmt": {}, "authData": …}, the last part being noise.
  const head = Buffer.from('a363666d74646e6f6e656761747453746d74a068617574684461746158', 'hex')
  const attestation = Buffer.concat([head, Buffer.from([120]), random.bytes(120)]).toString('base64url')
  const clientDataJSON = Buffer.from(JSON.stringify(client)).toString('base64url')
  const response =
    kind === 'registration'
      ? {
          clientDataJSON,
          attestationObject: random.chance(0.8) ? attestation : bytes(50),
          transports: ['usb'],
        }
      : {
          clientDataJSON,
          authenticatorData: bytes(37 + random.below(40)),
          signature: bytes(64),
          userHandle: bytes(16),
        }
  return {
    flow: ceremony.flow,
    ...(kind === 'registration' ? { name: 'my key' } : {}),
    credential: { id: bytes(16), rawId: bytes(16), type: 'public-key', response },
  }
}

const email = (random: Random): string => `p${random.below(50)}@example.com`
const MAKERS: Readonly<Record<string, Maker>> = {
  'POST /v1/chat/completions': chat,
  'POST /v1/quote': (cast, random) => ({ endpoint: 'chat.completions', request: chat(cast, random) }),
  'POST /v1/sessions': (cast, random) => ({
    ...some(random, { network: 'public', budget: 100, ttl_seconds: 60 }),
    ...(random.chance(0.4) ? { mode: 'direct', direct: { model: NANO, key: OKP, budget: 128 } } : {}),
    ...(random.chance(0.1) ? { network: cast.ids['network']?.[0] } : {}),
  }),
  'POST /v1/sessions/:session/direct': () => ({ model: NANO, key: OKP, budget: 128 }),
  'POST /v1/tokens': (_, random) => ({
    origins: random.chance(0.5) ? null : ['https://example.com'],
    ...some(random, {
      ttl_seconds: 60,
      budget: 10,
      scopes: ['inference'],
      networks: ['public'],
      models: [NANO],
    }),
  }),
  'POST /api/setup': () => ({ name: 'again' }),
  'POST /api/login/email': (_, random) => ({ email: email(random) }),
  'POST /api/login/email/verify': (cast, random) => ({
    flow: cast.things.flow,
    code: String(random.below(1_000_000)),
  }),
  'POST /api/login/passkey': (cast, random) => credential(cast, random, 'login'),
  'POST /api/me/passkeys': (cast, random) => credential(cast, random, 'registration'),
  'POST /api/operators': (cast) => ({ email: cast.things.email }),
  'POST /api/accounts': (_, random) => ({ name: 'new', ...some(random, { owner_email: email(random) }) }),
  'POST /api/accounts/:account/adjustments': (_, random) => ({
    amount: random.below(2_000) - 1_000,
    note: 'fuzz',
  }),
  'POST /api/accounts/:account/freezes': (_, random) => ({ note: 'fuzz', ...some(random, { amount: 10 }) }),
  'POST /api/anomalies/:anomaly/review': (_, random) => ({
    verdict: random.pick(['dismissed', 'upheld']),
    note: 'seen',
  }),
  'POST /api/members': (_, random) => ({
    email: email(random),
    role: random.pick(['owner', 'admin', 'member', 'viewer']),
  }),
  'PATCH /api/members/:user': (_, random) => ({ role: random.pick(['admin', 'member', 'viewer']) }),
  'POST /api/apps': (_, random) => ({ name: random.chance(0.5) ? 'app' : oddString(random) }),
  'PATCH /api/apps/:app': () => ({ name: 'renamed' }),
  'POST /api/apps/:app/keys': (cast, random) => ({ name: 'key', ...keyRights(cast, random) }),
  'PATCH /api/keys/:key': (cast, random) => ({ name: 'other', ...keyRights(cast, random) }),
  'POST /api/keys/:key/rotate': (_, random) => some(random, { overlap_seconds: 60 }),
  'POST /api/host-enrolments': (_, random) => some(random, { network: 'public', ttl_seconds: 600 }),
  'POST /api/hosts/:host/commands': (_, random) =>
    random.pick([
      { name: random.pick(['pause', 'resume', 'drain']) },
      {
        name: 'settings',
        arguments: some(random, {
          schedule: [{ days: ['mon', 'sun'], from: '22:00', to: '06:30' }],
          onlyWhenIdle: { noInputMinutes: 5, onPower: true, gpuBelowPercent: 50 },
          maxConcurrency: 2,
          maxTokensPerDay: null,
          ownJobsFirst: true,
          networks: ['public'],
        }),
      },
      { name: 'model-add', arguments: { id: NANO, sha256: random.hex(64) } },
      { name: 'model-remove', arguments: { id: 'nothing' } },
    ]),
  'POST /api/host-transfers/accept': (cast) => ({ token: cast.things.transfer }),
  'POST /api/networks': (_, random) => ({
    name: `n-${random.hex(8)}`,
    ...some(random, { cidrs: ['10.0.0.0/8', 'fd00::/8'] }),
  }),
  'PATCH /api/networks/:network': (_, random) => ({
    cidrs: random.pick([[], ['127.0.0.0/8'], ['::/0'], ['1.2.3.4/33']]),
  }),
  'POST /api/networks/:network/invitations': (_, random) => ({
    kind: random.pick(['account', 'host']),
    ...some(random, { ttl_seconds: 60 }),
  }),
  'POST /api/network-invitations/accept': (cast, random) =>
    random.chance(0.5)
      ? { token: cast.things.networkInvitation }
      : { token: cast.things.hostInvitation, host: cast.ids['host']?.[0] },
  'POST /api/device/lookup': (cast) => ({ user_code: cast.things.userCode }),
  'POST /api/device/approve': (cast) => ({ user_code: cast.things.userCode }),
  'POST /api/device/deny': (cast) => ({ user_code: cast.things.userCode }),
  'POST /host/v1/enrol': (cast, random) => ({
    token: cast.things.enrolmentToken,
    proof: cast.things.enrolmentProof,
    ...some(random, { name: oddString(random) }),
  }),
}

const FORMS: Readonly<Record<string, FormMaker>> = {
  'POST /login/email': (_, random) => ({
    email: email(random),
    return_to: random.pick(['/device', '//evil.example', oddString(random)]),
  }),
  'POST /login/code': (cast, random) => ({
    flow: cast.things.flow,
    code: String(random.below(1_000_000)),
    email: cast.things.email,
    return_to: '/login',
  }),
  'POST /login/end': () => ({}),
  'POST /login/invitation': (cast) => ({ invitation: cast.ids['invitation']?.[0] ?? '' }),
  'POST /device': (cast, random) => ({
    user_code: cast.things.userCode,
    ...some(random, {
      decision: random.pick(['approve', 'deny']),
      account: cast.ids['ownAccount']?.[0] ?? '',
      host_id: cast.ids['host']?.[0] ?? '',
    }),
  }),
  'POST /oauth/device_authorization': (cast, random) => ({
    client_id: CLIENT_ID,
    host_id: cast.ids['host']?.[0] ?? '',
    ...some(random, { host_name: oddString(random), network: 'public' }),
  }),
  'POST /oauth/token': (cast) => ({
    client_id: CLIENT_ID,
    grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
    device_code: cast.things.deviceCode,
  }),
}

/** Names of routes for which there is a seed. */
export const SEEDED_ROUTES: readonly string[] = [...Object.keys(MAKERS), ...Object.keys(FORMS)]

/** A body that the route takes; `{}` for routes that read none. */
export function bodySeed(route: string, cast: Cast, random: Random): BodySeed {
  const form = FORMS[route]
  if (form !== undefined) return { kind: 'form', fields: Object.entries(form(cast, random)) }
  return { kind: 'json', value: MAKERS[route]?.(cast, random) ?? {} }
}
