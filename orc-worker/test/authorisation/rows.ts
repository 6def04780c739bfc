import type { World } from './world.ts'

/** What a request to a route is made of. */
export interface Row {
  /** The path, with things of the victim in it. */
  readonly path: (world: World) => string
  /** A body that would do what the route is for. */
  readonly body?: (world: World) => unknown
}

const plain = (path: string, body?: (world: World) => unknown): Row => ({
  path: () => path,
  ...(body === undefined ? {} : { body }),
})

const chat = () => ({ model: 'none', messages: [{ role: 'user', content: 'x' }] })
const device = () => ({ user_code: 'BCDF-GHJK' })
const made = 'made-up'

/** One row for every route with a door. Those of strangers have tests of their own. */
export const ROWS: Readonly<Record<string, Row>> = {
  'POST /v1/chat/completions': {
    path: () => '/v1/chat/completions',
    body: chat,
  },
  'POST /v1/completions': plain('/v1/completions', () => ({ model: 'none', prompt: 'x' })),
  'POST /v1/responses': plain('/v1/responses', () => ({ model: 'none', input: 'x' })),
  'GET /v1/responses/:path{.+}': plain('/v1/responses/resp_x'),
  'POST /v1/responses/:path{.+}': plain('/v1/responses/resp_x/cancel', () => ({})),
  'DELETE /v1/responses/:path{.+}': plain('/v1/responses/resp_x'),
  'POST /v1/messages': plain('/v1/messages', () => ({ ...chat(), max_tokens: 1 })),
  'POST /v1/messages/count_tokens': plain('/v1/messages/count_tokens', chat),
  'POST /v1/embeddings': plain('/v1/embeddings', () => ({ model: 'none', input: 'x' })),
  'POST /v1/images/generations': plain('/v1/images/generations', () => ({ model: 'none', prompt: 'x' })),
  'GET /v1/models': plain('/v1/models'),
  'GET /v1/models/:model{.+}': plain('/v1/models/some/model'),
  'POST /v1/sessions': plain('/v1/sessions', () => ({})),
  'GET /v1/sessions/:session': { path: ({ session }) => `/v1/sessions/${session.id}` },
  'POST /v1/sessions/:session/direct': {
    path: ({ session }) => `/v1/sessions/${session.id}/direct`,
    body: ({ hosts }) => ({ model: 'none', key: hosts.victim.publicJwk }),
  },
  'DELETE /v1/sessions/:session': { path: ({ session }) => `/v1/sessions/${session.id}` },
  'POST /v1/tokens': plain('/v1/tokens', () => ({ origins: null })),
  'POST /v1/quote': plain('/v1/quote', () => ({ request: chat() })),
  'GET /v1/balance': plain('/v1/balance'),
  'GET /v1/usage': plain('/v1/usage'),

  'POST /api/setup': plain('/api/setup', () => ({ name: 'x' })),

  'POST /login/invitation': plain('/login/invitation', () => ({ invitation: made })),
  'POST /device': plain('/device', device),
  'POST /api/logout': plain('/api/logout'),
  'GET /api/me': plain('/api/me'),
  'GET /api/me/sessions': plain('/api/me/sessions'),
  'DELETE /api/me/sessions': plain('/api/me/sessions'),
  'DELETE /api/me/sessions/:session': { path: ({ people }) => `/api/me/sessions/${people.owner.loginId}` },
  'GET /api/me/invitations': plain('/api/me/invitations'),
  'POST /api/me/invitations/:invitation/accept': plain(`/api/me/invitations/${made}/accept`),
  'POST /api/me/passkeys/options': plain('/api/me/passkeys/options'),
  'POST /api/me/passkeys': plain('/api/me/passkeys', () => ({})),
  'GET /api/me/passkeys': plain('/api/me/passkeys'),
  'DELETE /api/me/passkeys/:passkey': plain(`/api/me/passkeys/${made}`),

  'GET /api/operators': plain('/api/operators'),
  'POST /api/operators': plain('/api/operators', ({ people }) => ({
    email: `${people.owner.userId}@example.org`,
  })),
  'DELETE /api/operators/:user': { path: ({ people }) => `/api/operators/${people.owner.userId}` },
  'POST /api/accounts': plain('/api/accounts', () => ({ name: 'x' })),
  'POST /api/accounts/:account/adjustments': {
    path: ({ victim }) => `/api/accounts/${victim.id}/adjustments`,
    body: () => ({ amount: 1, note: 'x' }),
  },
  'POST /api/accounts/:account/freezes': {
    path: ({ victim }) => `/api/accounts/${victim.id}/freezes`,
    body: () => ({ amount: 0, note: 'x' }),
  },
  'GET /api/audit': plain('/api/audit'),
  'POST /api/reconciliation': plain('/api/reconciliation'),
  'GET /api/anomalies': plain('/api/anomalies'),
  'GET /api/anomalies/:anomaly': plain(`/api/anomalies/${made}`),
  'POST /api/anomalies/:anomaly/review': plain(`/api/anomalies/${made}/review`, () => ({
    decision: 'dismiss',
    note: 'x',
  })),

  'GET /api/catalogue/:id{.+}': plain('/api/catalogue/some/model'),
  'PUT /api/catalogue/:id{.+}': plain('/api/catalogue/some/model', () => ({})),
  'DELETE /api/catalogue/:id{.+}': plain('/api/catalogue/some/model'),

  'GET /api/account': plain('/api/account'),
  'POST /api/account/token': plain('/api/account/token'),
  'GET /api/members': plain('/api/members'),
  'POST /api/members': plain('/api/members', () => ({ email: 'new@example.org', role: 'viewer' })),
  'DELETE /api/members/invitations/:invitation': plain(`/api/members/invitations/${made}`),
  'PATCH /api/members/:user': {
    path: ({ people }) => `/api/members/${people.viewer.userId}`,
    body: () => ({ role: 'member' }),
  },
  'DELETE /api/members/:user': { path: ({ people }) => `/api/members/${people.owner.userId}` },
  'GET /api/statement': plain('/api/statement'),
  'GET /api/usage': plain('/api/usage'),
  'GET /api/earnings': plain('/api/earnings'),

  'GET /api/apps': plain('/api/apps'),
  'POST /api/apps': plain('/api/apps', () => ({ name: 'x' })),
  'PATCH /api/apps/:app': { path: ({ app }) => `/api/apps/${app.id}`, body: () => ({ name: 'taken' }) },
  'POST /api/apps/:app/keys': { path: ({ app }) => `/api/apps/${app.id}/keys`, body: () => ({ name: 'x' }) },
  'PATCH /api/keys/:key': { path: ({ key }) => `/api/keys/${key.id}`, body: () => ({ name: 'taken' }) },
  'POST /api/keys/:key/rotate': { path: ({ key }) => `/api/keys/${key.id}/rotate`, body: () => ({}) },
  'DELETE /api/keys/:key': { path: ({ key }) => `/api/keys/${key.id}` },

  'POST /api/host-enrolments': plain('/api/host-enrolments', () => ({})),
  'GET /api/hosts': plain('/api/hosts'),
  'GET /api/hosts/:host': { path: ({ hosts }) => `/api/hosts/${hosts.victim.id}` },
  'DELETE /api/hosts/:host': { path: ({ hosts }) => `/api/hosts/${hosts.victim.id}` },
  'POST /api/hosts/:host/commands': {
    path: ({ hosts }) => `/api/hosts/${hosts.victim.id}/commands`,
    body: () => ({ name: 'pause' }),
  },
  'POST /api/hosts/:host/transfer': { path: ({ hosts }) => `/api/hosts/${hosts.victim.id}/transfer` },
  'POST /api/host-transfers/accept': plain('/api/host-transfers/accept', () => ({ token: made })),
  'PUT /api/hosts/:host/networks/:network': {
    path: ({ hosts, network }) => `/api/hosts/${hosts.victim.id}/networks/${network}`,
  },
  'DELETE /api/hosts/:host/networks/:network': {
    path: ({ hosts }) => `/api/hosts/${hosts.victim.id}/networks/public`,
  },

  'GET /api/networks': plain('/api/networks'),
  'POST /api/networks': plain('/api/networks', () => ({ name: 'x'.repeat(70) })),
  'PATCH /api/networks/:network': {
    path: ({ network }) => `/api/networks/${network}`,
    body: () => ({ cidrs: ['192.0.2.0/24'] }),
  },
  'DELETE /api/networks/:network': { path: ({ network }) => `/api/networks/${network}` },
  'GET /api/networks/:network/accounts': { path: ({ network }) => `/api/networks/${network}/accounts` },
  'DELETE /api/networks/:network/accounts/:account': {
    path: ({ network, guest }) => `/api/networks/${network}/accounts/${guest.id}`,
  },
  'GET /api/networks/:network/hosts': { path: ({ network }) => `/api/networks/${network}/hosts` },
  'POST /api/networks/:network/hosts/:host/approve': {
    path: ({ network, hosts }) => `/api/networks/${network}/hosts/${hosts.guest.id}/approve`,
  },
  'DELETE /api/networks/:network/hosts/:host': {
    path: ({ network, hosts }) => `/api/networks/${network}/hosts/${hosts.guest.id}`,
  },
  'GET /api/networks/:network/invitations': { path: ({ network }) => `/api/networks/${network}/invitations` },
  'POST /api/networks/:network/invitations': {
    path: ({ network }) => `/api/networks/${network}/invitations`,
    body: () => ({ kind: 'account' }),
  },
  'DELETE /api/networks/:network/invitations/:invitation': {
    path: ({ network, networkInvitation }) => `/api/networks/${network}/invitations/${networkInvitation.id}`,
  },
  'POST /api/network-invitations/accept': plain('/api/network-invitations/accept', () => ({ token: made })),

  'POST /api/device/lookup': plain('/api/device/lookup', device),
  'POST /api/device/approve': plain('/api/device/approve', device),
  'POST /api/device/deny': plain('/api/device/deny', device),

  'POST /host/v1/challenge': plain('/host/v1/challenge', () => ({})),
  'POST /host/v1/enrol': plain('/host/v1/enrol', () => ({ token: made, proof: made })),
  'GET /host/v1/connect': plain('/host/v1/connect'),
}
