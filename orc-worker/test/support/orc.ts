import { env, exports } from 'cloudflare:workers'
import type {
  AccountCreated,
  AccountView,
  AppCreated,
  AuditReport,
  EnrolmentCreated,
  KeyCreated,
} from '@daisi/protocol'

const ORIGIN = 'https://orc.test'

/** Sends one request to the Worker. `body` is sent as JSON. */
export function call(
  method: string,
  path: string,
  options: { token?: string; body?: unknown; headers?: Record<string, string>; signal?: AbortSignal } = {},
): Promise<Response> {
  const headers: Record<string, string> = { ...options.headers }
  if (options.token !== undefined) headers['authorization'] = `Bearer ${options.token}`
  if (options.body !== undefined) headers['content-type'] = 'application/json'
  const body = typeof options.body === 'string' ? options.body : JSON.stringify(options.body)
  return exports.default.fetch(ORIGIN + path, {
    method,
    headers,
    ...(options.body === undefined ? {} : { body }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  })
}

async function created<Value>(response: Response): Promise<Value> {
  if (response.status !== 201) throw new Error(`${response.status} ${await response.text()}`)
  return response.json()
}

let operator: Promise<AccountCreated> | undefined

/** The operator of this test file's Orc. */
export function operatorAccount(): Promise<AccountCreated> {
  operator ??= call('POST', '/api/setup', { token: env.SETUP_TOKEN, body: { name: 'operator' } }).then(
    created<AccountCreated>,
  )
  return operator
}

/** For the next test file, whose Orc has none yet. */
export function forgetOperator(): void {
  operator = undefined
}

/** A new account with its sign-up grant. */
export async function newAccount(name: string): Promise<AccountCreated> {
  const { token } = await operatorAccount()
  return created(await call('POST', '/api/accounts', { token, body: { name } }))
}

/** A Secret Key of this account. */
export async function newKey(
  account: AccountCreated,
  body: Record<string, unknown> = {},
): Promise<KeyCreated> {
  const app = await created<AppCreated>(
    await call('POST', '/api/apps', { token: account.token, body: { name: 'app' } }),
  )
  const options = { token: account.token, body: { name: 'key', ...body } }
  return created(await call('POST', `/api/apps/${app.id}/keys`, options))
}

/** A one-time enrolment token of this account. */
export async function newEnrolment(account: AccountCreated): Promise<EnrolmentCreated> {
  return created(await call('POST', '/api/host-enrolments', { token: account.token, body: {} }))
}

/** What an account has: free and held. */
export async function balanceOf(account: AccountCreated): Promise<AccountView['balance']> {
  const view = await call('GET', '/api/account', { token: account.token }).then((response) =>
    response.json<AccountView>(),
  )
  return view.balance
}

/** The book, recomputed. */
export async function audit(): Promise<AuditReport> {
  const { token } = await operatorAccount()
  return call('GET', '/api/audit', { token }).then((response) => response.json<AuditReport>())
}

/** Finishes everything that is on its way to the book, by asking the key's Session to settle. */
export async function settle(key: string): Promise<void> {
  const response = await call('GET', '/v1/usage', { token: key })
  if (response.status !== 200) throw new Error(await response.text())
}
