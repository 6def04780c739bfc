import { createHash } from 'node:crypto'
import type { AccountCreated, AppCreated, KeyCreated } from '@daisi/protocol'
import { manageApi } from '../../orc-local/src/manage-api.ts'
import type { Network } from './network.ts'

/** An account whose every name can be told from all others. */
export interface Named {
  readonly account: AccountCreated
  readonly key: KeyCreated
  /** Whatever would say who it is: ids, names, address, key, token, and what is stored of these. */
  readonly traces: readonly string[]
}

/** Makes an account with an owner, an App and a key, all of which have `word` in their names. */
export async function newNamed(network: Network, word: string): Promise<Named> {
  const email = `owner@${word}.example`
  const operator = manageApi(network.url, network.operator.token)
  const account = await operator.post<AccountCreated>('/api/accounts', {
    name: `${word} inc`,
    owner_email: email,
  })
  const own = manageApi(network.url, account.token)
  const app = await own.post<AppCreated>('/api/apps', { name: `${word} app` })
  const key = await own.post<KeyCreated>(`/api/apps/${app.id}/keys`, { name: `${word} key` })
  const secrets = [key.key, account.token].flatMap((secret) => [secret, ...hashesOf(secret)])
  return { account, key, traces: [word, account.id, app.id, key.id, key.prefix, ...secrets] }
}

function hashesOf(secret: string): string[] {
  const digest = createHash('sha256').update(secret).digest()
  return [digest.toString('hex'), digest.toString('base64url'), digest.toString('latin1')]
}

/** Those of `traces` that stand in a text. */
export function found(traces: readonly string[], text: string): string[] {
  return traces.filter((trace) => text.includes(trace))
}

/** The names in a JSON value, down to the last, without their values. */
export function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shapeOf).slice(0, 1)
  if (typeof value !== 'object' || value === null) return value === null ? null : typeof value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, shapeOf(inner)]))
}
