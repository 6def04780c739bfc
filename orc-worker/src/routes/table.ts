import {
  DISCOVERY_PATH,
  HOST_CHALLENGE_PATH,
  HOST_CONNECT_PATH,
  HOST_ENROL_PATH,
  JWKS_PATH,
} from '@daisi/protocol'
import type { Access } from '../http/access.ts'
import type { Handler } from '../http/context.ts'
import { getAccount, postAccount, setup } from './accounts.ts'
import { getAnomalies, getAnomaly, postReview } from './anomalies.ts'
import { deleteKey, postApp, postKey } from './apps.ts'
import { getAudit, postReconciliation } from './book.ts'
import { chatCompletions } from './chat-completions.ts'
import { getEarningsReport, getStatement, getUsageReport } from './credits.ts'
import { describeOrc, health, jwks, welcome } from './discovery.ts'
import { challenge, connect, enrol } from './host-wire.ts'
import { deleteHost, getHosts, postCommand, postEnrolment } from './hosts.ts'
import { getModel, listModels } from './models.ts'
import { postAdjustment, postFreeze } from './operator-credits.ts'
import { closeSession, createSession, getSession } from './sessions.ts'
import { getUsage } from './usage.ts'

export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly path: string
  readonly access: Access
  readonly handler: Handler
}

/** Every route of the Orc, and who may call it. The authorisation matrix test walks this table. */
export const routes: readonly Route[] = [
  { method: 'GET', path: '/', access: 'public', handler: welcome },
  { method: 'GET', path: '/health', access: 'public', handler: health },
  { method: 'GET', path: DISCOVERY_PATH, access: 'public', handler: describeOrc },
  { method: 'GET', path: JWKS_PATH, access: 'public', handler: jwks },

  { method: 'POST', path: '/v1/chat/completions', access: 'consumer', handler: chatCompletions },
  { method: 'GET', path: '/v1/models', access: 'consumer', handler: listModels },
  { method: 'GET', path: '/v1/models/:model{.+}', access: 'consumer', handler: getModel },
  { method: 'POST', path: '/v1/sessions', access: 'consumer', handler: createSession },
  { method: 'GET', path: '/v1/sessions/:session', access: 'consumer', handler: getSession },
  { method: 'DELETE', path: '/v1/sessions/:session', access: 'consumer', handler: closeSession },
  { method: 'GET', path: '/v1/usage', access: 'consumer', handler: getUsage },

  { method: 'POST', path: '/api/setup', access: 'setup', handler: setup },
  { method: 'POST', path: '/api/accounts', access: 'operator', handler: postAccount },
  { method: 'POST', path: '/api/accounts/:account/adjustments', access: 'operator', handler: postAdjustment },
  { method: 'POST', path: '/api/accounts/:account/freezes', access: 'operator', handler: postFreeze },
  { method: 'GET', path: '/api/audit', access: 'operator', handler: getAudit },
  { method: 'POST', path: '/api/reconciliation', access: 'operator', handler: postReconciliation },
  { method: 'GET', path: '/api/anomalies', access: 'operator', handler: getAnomalies },
  { method: 'GET', path: '/api/anomalies/:anomaly', access: 'operator', handler: getAnomaly },
  { method: 'POST', path: '/api/anomalies/:anomaly/review', access: 'operator', handler: postReview },
  { method: 'GET', path: '/api/account', access: 'account', handler: getAccount },
  { method: 'GET', path: '/api/statement', access: 'account', handler: getStatement },
  { method: 'GET', path: '/api/usage', access: 'account', handler: getUsageReport },
  { method: 'GET', path: '/api/earnings', access: 'account', handler: getEarningsReport },
  { method: 'POST', path: '/api/apps', access: 'account', handler: postApp },
  { method: 'POST', path: '/api/apps/:app/keys', access: 'account', handler: postKey },
  { method: 'DELETE', path: '/api/keys/:key', access: 'account', handler: deleteKey },
  { method: 'POST', path: '/api/host-enrolments', access: 'account', handler: postEnrolment },
  { method: 'GET', path: '/api/hosts', access: 'account', handler: getHosts },
  { method: 'DELETE', path: '/api/hosts/:host', access: 'account', handler: deleteHost },
  { method: 'POST', path: '/api/hosts/:host/commands', access: 'account', handler: postCommand },

  { method: 'POST', path: HOST_CHALLENGE_PATH, access: 'host', handler: challenge },
  { method: 'POST', path: HOST_ENROL_PATH, access: 'host', handler: enrol },
  { method: 'GET', path: HOST_CONNECT_PATH, access: 'host', handler: connect },
]
