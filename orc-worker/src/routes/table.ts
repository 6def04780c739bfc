import {
  CATALOGUE_PATH,
  DEVICE_AUTHORIZATION_PATH,
  DEVICE_VERIFICATION_PATH,
  DISCOVERY_PATH,
  HOST_CHALLENGE_PATH,
  HOST_CONNECT_PATH,
  HOST_ENROL_PATH,
  JWKS_PATH,
  OAUTH_METADATA_PATH,
  OAUTH_TOKEN_PATH,
} from '@daisi/protocol'
import type { Access } from '../http/access.ts'
import { GITHUB_CALLBACK_PATH } from '../domain/github-authorization.ts'
import type { LimitName } from '../domain/rate-limits.ts'
import type { Handler } from '../http/context.ts'
import { getAccount, postAccount, postAccountToken, setup } from './accounts.ts'
import { getAnomalies, getAnomaly, postReview } from './anomalies.ts'
import { getApps, patchApp, postApp } from './apps.ts'
import { getBalance } from './balance.ts'
import { getAudit, postReconciliation } from './book.ts'
import { deleteCatalogueModel, getCatalogue, getCatalogueModel, putCatalogue } from './catalogue.ts'
import { chatCompletions } from './chat-completions.ts'
import { completions } from './completions.ts'
import { getEarningsReport, getStatement, getUsageReport } from './credits.ts'
import { approveDevice, denyDevice, lookUpDevice } from './device-approval.ts'
import { getDevicePage, postDevicePage } from './device-page.ts'
import { describeOrc, health, jwks, welcome } from './discovery.ts'
import { embeddings } from './embeddings.ts'
import { beginGithubLogin, finishGithubLogin } from './github-login.ts'
import {
  approveNetworkHost,
  deleteNetworkHost,
  getNetworkHosts,
  joinNetwork,
  leaveNetworkOfHost,
} from './host-networks.ts'
import { acceptHostTransfer, postTransfer } from './host-transfers.ts'
import { challenge, connect, enrol } from './host-wire.ts'
import { deleteHost, getHost, getHosts, postCommand, postEnrolment } from './hosts.ts'
import { imageGenerations } from './images.ts'
import { postEmailLogin, postEmailLoginAnswer, postLogout } from './login.ts'
import {
  deleteLoginSession,
  deleteOtherLoginSessions,
  getLoginSessions,
  getMe,
  getOwnInvitations,
  postAcceptance,
} from './me.ts'
import { deleteInvitation, deleteMember, getMembers, patchMember, postMember } from './members.ts'
import { deleteKey, patchKey, postKey, postKeyRotation } from './keys.ts'
import { countMessageTokens, postMessage } from './messages.ts'
import { getModel, listModels } from './models.ts'
import { authorizeDevice, describeAuthorizationServer, issueToken } from './oauth.ts'
import {
  getLoginPage,
  postLoginCode,
  postLoginEmail,
  postLoginEnd,
  postLoginInvitation,
} from './login-page.ts'
import {
  deletePasskey,
  getPasskeys,
  postPasskey,
  postPasskeyLogin,
  postPasskeyLoginOptions,
  postPasskeyOptions,
} from './passkeys.ts'
import {
  acceptNetworkInvitation,
  deleteNetworkInvitation,
  getNetworkInvitations,
  postNetworkInvitation,
} from './network-invitations.ts'
import { deleteGuest, deleteNetwork, getGuests, getNetworks, patchNetwork, postNetwork } from './networks.ts'
import { getDocs, getOpenApi } from './openapi.ts'
import { postAdjustment, postFreeze } from './operator-credits.ts'
import { deleteOperator, getOperators, postOperator } from './operators.ts'
import { postQuote } from './quote.ts'
import { missingResponse, postResponse } from './responses.ts'
import { closeSession, createDirectGrant, createSession, getSession } from './sessions.ts'
import { postToken } from './tokens.ts'
import { getUsage } from './usage.ts'

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly access: Access
  /** Of a route for strangers: its limit by address, where it is not the one of its kind. */
  readonly limit?: LimitName
  readonly handler: Handler
}

/** Every route of the Orc, and who may call it. The authorisation matrix test walks this table. */
export const routes: readonly Route[] = [
  { method: 'GET', path: '/', access: 'public', handler: welcome },
  { method: 'GET', path: '/health', access: 'public', handler: health },
  { method: 'GET', path: DISCOVERY_PATH, access: 'public', handler: describeOrc },
  { method: 'GET', path: JWKS_PATH, access: 'public', handler: jwks },
  { method: 'GET', path: '/openapi.json', access: 'public', handler: getOpenApi },
  { method: 'GET', path: '/docs', access: 'public', handler: getDocs },

  { method: 'GET', path: '/login', access: 'public', handler: getLoginPage },
  { method: 'POST', path: '/login/email', access: 'public', handler: postLoginEmail },
  { method: 'POST', path: '/login/code', access: 'public', handler: postLoginCode },
  { method: 'POST', path: '/login/end', access: 'public', handler: postLoginEnd },
  { method: 'POST', path: '/login/invitation', access: 'user', handler: postLoginInvitation },
  { method: 'GET', path: '/login/github', access: 'public', limit: 'login', handler: beginGithubLogin },
  { method: 'GET', path: GITHUB_CALLBACK_PATH, access: 'public', limit: 'login', handler: finishGithubLogin },
  { method: 'GET', path: DEVICE_VERIFICATION_PATH, access: 'public', handler: getDevicePage },
  { method: 'POST', path: DEVICE_VERIFICATION_PATH, access: 'user', handler: postDevicePage },

  { method: 'POST', path: '/v1/chat/completions', access: 'consumer', handler: chatCompletions },
  { method: 'POST', path: '/v1/completions', access: 'consumer', handler: completions },
  { method: 'POST', path: '/v1/responses', access: 'consumer', handler: postResponse },
  { method: 'GET', path: '/v1/responses/:path{.+}', access: 'consumer', handler: missingResponse },
  { method: 'POST', path: '/v1/responses/:path{.+}', access: 'consumer', handler: missingResponse },
  { method: 'DELETE', path: '/v1/responses/:path{.+}', access: 'consumer', handler: missingResponse },
  { method: 'POST', path: '/v1/messages', access: 'consumer', handler: postMessage },
  { method: 'POST', path: '/v1/messages/count_tokens', access: 'consumer', handler: countMessageTokens },
  { method: 'POST', path: '/v1/embeddings', access: 'consumer', handler: embeddings },
  { method: 'POST', path: '/v1/images/generations', access: 'consumer', handler: imageGenerations },
  { method: 'GET', path: '/v1/models', access: 'consumer', handler: listModels },
  { method: 'GET', path: '/v1/models/:model{.+}', access: 'consumer', handler: getModel },
  { method: 'POST', path: '/v1/sessions', access: 'consumer', handler: createSession },
  { method: 'GET', path: '/v1/sessions/:session', access: 'consumer', handler: getSession },
  { method: 'POST', path: '/v1/sessions/:session/direct', access: 'consumer', handler: createDirectGrant },
  { method: 'DELETE', path: '/v1/sessions/:session', access: 'consumer', handler: closeSession },
  { method: 'POST', path: '/v1/tokens', access: 'consumer', handler: postToken },
  { method: 'POST', path: '/v1/quote', access: 'consumer', handler: postQuote },
  { method: 'GET', path: '/v1/balance', access: 'consumer', handler: getBalance },
  { method: 'GET', path: '/v1/usage', access: 'consumer', handler: getUsage },

  { method: 'POST', path: '/api/setup', access: 'setup', handler: setup },
  { method: 'POST', path: '/api/login/email', access: 'public', handler: postEmailLogin },
  { method: 'POST', path: '/api/login/email/verify', access: 'public', handler: postEmailLoginAnswer },
  { method: 'POST', path: '/api/login/passkey/options', access: 'public', handler: postPasskeyLoginOptions },
  { method: 'POST', path: '/api/login/passkey', access: 'public', handler: postPasskeyLogin },
  { method: 'POST', path: '/api/logout', access: 'user', handler: postLogout },
  { method: 'GET', path: '/api/me', access: 'user', handler: getMe },
  { method: 'GET', path: '/api/me/sessions', access: 'user', handler: getLoginSessions },
  { method: 'DELETE', path: '/api/me/sessions', access: 'user', handler: deleteOtherLoginSessions },
  { method: 'DELETE', path: '/api/me/sessions/:session', access: 'user', handler: deleteLoginSession },
  { method: 'GET', path: '/api/me/invitations', access: 'user', handler: getOwnInvitations },
  { method: 'POST', path: '/api/me/invitations/:invitation/accept', access: 'user', handler: postAcceptance },
  { method: 'POST', path: '/api/me/passkeys/options', access: 'user', handler: postPasskeyOptions },
  { method: 'POST', path: '/api/me/passkeys', access: 'user', handler: postPasskey },
  { method: 'GET', path: '/api/me/passkeys', access: 'user', handler: getPasskeys },
  { method: 'DELETE', path: '/api/me/passkeys/:passkey', access: 'user', handler: deletePasskey },

  { method: 'GET', path: '/api/operators', access: 'operator', handler: getOperators },
  { method: 'POST', path: '/api/operators', access: 'operator', handler: postOperator },
  { method: 'DELETE', path: '/api/operators/:user', access: 'operator', handler: deleteOperator },
  { method: 'POST', path: '/api/accounts', access: 'operator', handler: postAccount },
  { method: 'POST', path: '/api/accounts/:account/adjustments', access: 'operator', handler: postAdjustment },
  { method: 'POST', path: '/api/accounts/:account/freezes', access: 'operator', handler: postFreeze },
  { method: 'GET', path: '/api/audit', access: 'operator', handler: getAudit },
  { method: 'POST', path: '/api/reconciliation', access: 'operator', handler: postReconciliation },
  { method: 'GET', path: '/api/anomalies', access: 'operator', handler: getAnomalies },
  { method: 'GET', path: '/api/anomalies/:anomaly', access: 'operator', handler: getAnomaly },
  { method: 'POST', path: '/api/anomalies/:anomaly/review', access: 'operator', handler: postReview },
  { method: 'GET', path: '/api/catalogue/:id{.+}', access: 'operator', handler: getCatalogueModel },
  { method: 'PUT', path: '/api/catalogue/:id{.+}', access: 'operator', handler: putCatalogue },
  { method: 'DELETE', path: '/api/catalogue/:id{.+}', access: 'operator', handler: deleteCatalogueModel },
  { method: 'GET', path: '/api/account', access: 'viewer', handler: getAccount },
  { method: 'POST', path: '/api/account/token', access: 'owner', handler: postAccountToken },
  { method: 'GET', path: '/api/members', access: 'viewer', handler: getMembers },
  { method: 'POST', path: '/api/members', access: 'admin', handler: postMember },
  {
    method: 'DELETE',
    path: '/api/members/invitations/:invitation',
    access: 'admin',
    handler: deleteInvitation,
  },
  { method: 'PATCH', path: '/api/members/:user', access: 'admin', handler: patchMember },
  // Oneself whatever one's role.
  { method: 'DELETE', path: '/api/members/:user', access: 'viewer', handler: deleteMember },
  { method: 'GET', path: '/api/statement', access: 'viewer', handler: getStatement },
  { method: 'GET', path: '/api/usage', access: 'viewer', handler: getUsageReport },
  { method: 'GET', path: '/api/earnings', access: 'viewer', handler: getEarningsReport },
  { method: 'GET', path: '/api/apps', access: 'viewer', handler: getApps },
  { method: 'POST', path: '/api/apps', access: 'member', handler: postApp },
  { method: 'PATCH', path: '/api/apps/:app', access: 'member', handler: patchApp },
  { method: 'POST', path: '/api/apps/:app/keys', access: 'member', handler: postKey },
  { method: 'PATCH', path: '/api/keys/:key', access: 'member', handler: patchKey },
  { method: 'DELETE', path: '/api/keys/:key', access: 'member', handler: deleteKey },
  { method: 'POST', path: '/api/keys/:key/rotate', access: 'member', handler: postKeyRotation },
  { method: 'POST', path: '/api/host-enrolments', access: 'member', handler: postEnrolment },
  { method: 'GET', path: '/api/hosts', access: 'viewer', handler: getHosts },
  { method: 'GET', path: '/api/hosts/:host', access: 'viewer', handler: getHost },
  { method: 'DELETE', path: '/api/hosts/:host', access: 'owner', handler: deleteHost },
  { method: 'POST', path: '/api/hosts/:host/transfer', access: 'owner', handler: postTransfer },
  { method: 'POST', path: '/api/host-transfers/accept', access: 'admin', handler: acceptHostTransfer },
  { method: 'PUT', path: '/api/hosts/:host/networks/:network', access: 'member', handler: joinNetwork },
  {
    method: 'DELETE',
    path: '/api/hosts/:host/networks/:network',
    access: 'member',
    handler: leaveNetworkOfHost,
  },

  { method: 'GET', path: '/api/networks', access: 'viewer', handler: getNetworks },
  { method: 'POST', path: '/api/networks', access: 'admin', handler: postNetwork },
  { method: 'PATCH', path: '/api/networks/:network', access: 'admin', handler: patchNetwork },
  { method: 'DELETE', path: '/api/networks/:network', access: 'owner', handler: deleteNetwork },
  { method: 'GET', path: '/api/networks/:network/accounts', access: 'admin', handler: getGuests },
  {
    method: 'DELETE',
    path: '/api/networks/:network/accounts/:account',
    access: 'admin',
    handler: deleteGuest,
  },
  { method: 'GET', path: '/api/networks/:network/hosts', access: 'admin', handler: getNetworkHosts },
  {
    method: 'POST',
    path: '/api/networks/:network/hosts/:host/approve',
    access: 'admin',
    handler: approveNetworkHost,
  },
  {
    method: 'DELETE',
    path: '/api/networks/:network/hosts/:host',
    access: 'admin',
    handler: deleteNetworkHost,
  },
  {
    method: 'GET',
    path: '/api/networks/:network/invitations',
    access: 'admin',
    handler: getNetworkInvitations,
  },
  {
    method: 'POST',
    path: '/api/networks/:network/invitations',
    access: 'admin',
    handler: postNetworkInvitation,
  },
  {
    method: 'DELETE',
    path: '/api/networks/:network/invitations/:invitation',
    access: 'admin',
    handler: deleteNetworkInvitation,
  },
  {
    method: 'POST',
    path: '/api/network-invitations/accept',
    access: 'admin',
    handler: acceptNetworkInvitation,
  },

  // Some commands take an owner.
  { method: 'POST', path: '/api/hosts/:host/commands', access: 'member', handler: postCommand },

  { method: 'GET', path: OAUTH_METADATA_PATH, access: 'public', handler: describeAuthorizationServer },
  {
    method: 'POST',
    path: DEVICE_AUTHORIZATION_PATH,
    access: 'public',
    limit: 'device_authorization',
    handler: authorizeDevice,
  },
  { method: 'POST', path: OAUTH_TOKEN_PATH, access: 'public', limit: 'device_token', handler: issueToken },
  { method: 'POST', path: '/api/device/lookup', access: 'member', handler: lookUpDevice },
  { method: 'POST', path: '/api/device/approve', access: 'member', handler: approveDevice },
  { method: 'POST', path: '/api/device/deny', access: 'member', handler: denyDevice },

  { method: 'GET', path: CATALOGUE_PATH, access: 'public', limit: 'host_wire', handler: getCatalogue },
  { method: 'POST', path: HOST_CHALLENGE_PATH, access: 'host', handler: challenge },
  { method: 'POST', path: HOST_ENROL_PATH, access: 'host', handler: enrol },
  { method: 'GET', path: HOST_CONNECT_PATH, access: 'host', handler: connect },
]
