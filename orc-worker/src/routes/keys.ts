import {
  type KeyChange,
  type KeyCreated,
  keyChange,
  keyRequest,
  keyRotation,
  keyScope,
} from '@daisi/protocol'
import { PUBLIC_NETWORK, readConfig } from '../config.ts'
import { ownsApp } from '../db/apps.ts'
import { database } from '../db/client.ts'
import {
  type KeyOfAccount,
  type KeyRights,
  type KeyRow,
  type KeySecret,
  changeKey,
  createKey,
  keysOfApps,
  revokeKey,
  rotateKey,
} from '../db/keys.ts'
import { usableNetworks } from '../db/networks.ts'
import { hashCredential, mintCredential } from '../domain/credential.ts'
import { newId } from '../domain/ids.ts'
import type { AppContext } from '../http/context.ts'
import { ApiError } from '../http/errors.ts'
import { readJson } from '../http/read-json.ts'
import { unusableNetwork } from '../http/unusable-network.ts'
import { recallKeyLeases } from '../objects/bookkeeper/reconcile.ts'
import { refreshKeySessions, revokeKeySessions } from '../objects/key-sessions.ts'
import { unknownApp } from './apps.ts'
import { keyView } from './key-view.ts'

/** Characters of a Secret Key that are kept for display. */
const PREFIX_LENGTH = 15

/** `POST /api/apps/:app/keys`: the Secret Key is in the answer and nowhere else. */
export async function postKey(c: AppContext): Promise<Response> {
  const { value } = await readJson(c.req.raw, keyRequest)
  const appId = c.req.param('app') ?? ''
  const db = database(c.env)
  if (!(await ownsApp(db, appId, c.var.account.id))) throw unknownApp()
  const now = Date.now()
  const asked = await rightsOf(c, value, now)
  const rights: KeyRights = {
    name: value.name,
    scopes: [...keyScope.options],
    networks: [PUBLIC_NETWORK],
    models: null,
    spendOrder: null,
    budget: null,
    budgetPeriod: null,
    expiresAt: null,
    ...asked,
  }
  const { key, ...secret } = await newSecret(c)
  await createKey(db, { ...rights, ...secret, appId }, now)
  return created(c, key, secret.id, now)
}

/** `PATCH /api/keys/:key`: in force in every Session of the key once it is answered. */
export async function patchKey(c: AppContext): Promise<Response> {
  const { value } = await readJson(c.req.raw, keyChange)
  const db = database(c.env)
  const now = Date.now()
  const before = await readKey(c, now)
  const change = await rightsOf(c, value, now)
  const after = changedBudget(before, change)
  const changed = await changeKey(db, namedKey(c), { ...change, ...after })
  if (changed === undefined) throw keyIsOver()
  await refreshKeySessions(c.env, [changed])
  // What its Sessions hold beyond a smaller budget is not theirs to spend any more.
  const isLimited = change.budget !== undefined && change.budget !== null
  if (isLimited && (await recallKeyLeases(c.env, db, before.id)) > 0) throw notAllTold()
  return c.json(keyView(await readKey(c, now)))
}

/** `POST /api/keys/:key/rotate`: a new secret with the same rights, in the answer and nowhere else. */
export async function postKeyRotation(c: AppContext): Promise<Response> {
  const { value } = await readJson(c.req.raw, keyRotation)
  const now = Date.now()
  const overlapMs = (value.overlap_seconds ?? 0) * 1000
  await readKey(c, now)
  const { key, ...secret } = await newSecret(c)
  const replaced = await rotateKey(database(c.env), namedKey(c), secret, overlapMs, now)
  if (replaced === undefined) throw keyIsOver()
  await (overlapMs === 0 ? revokeKeySessions : refreshKeySessions)(c.env, [replaced])
  return created(c, key, secret.id, now)
}

/** `DELETE /api/keys/:key`: dead at once, in every Session. May be repeated. */
export async function deleteKey(c: AppContext): Promise<Response> {
  const revoked = await revokeKey(database(c.env), namedKey(c), Date.now())
  if (revoked === undefined) throw unknownKey()
  await revokeKeySessions(c.env, [revoked])
  return c.body(null, 204)
}

/** The columns that a request names. Throws if it names a Network that the account may not use, as if there were none. */
async function rightsOf(c: AppContext, asked: KeyChange, now: number): Promise<Partial<KeyRights>> {
  const { name, scopes, networks, models, spend_order, budget, budget_period, ttl_seconds } = asked
  if (networks !== undefined) await checkNetworks(c, networks)
  return {
    ...(name === undefined ? {} : { name }),
    ...(scopes === undefined ? {} : { scopes }),
    ...(networks === undefined ? {} : { networks }),
    ...(models === undefined ? {} : { models }),
    ...(spend_order === undefined ? {} : { spendOrder: spend_order }),
    ...(budget === undefined ? {} : { budget }),
    ...(budget_period === undefined ? {} : { budgetPeriod: budget_period }),
    ...(ttl_seconds === undefined
      ? {}
      : { expiresAt: ttl_seconds === null ? null : now + ttl_seconds * 1000 }),
  }
}

async function checkNetworks(c: AppContext, names: readonly string[]): Promise<void> {
  const usable = await usableNetworks(database(c.env), c.var.account.id)
  const wrong = names.find((name) => !usable.some((network) => network.name === name))
  if (wrong !== undefined) throw unusableNetwork(wrong, 'networks')
}

/** A budget that goes takes its period with it. Throws if a period would be left without a budget. */
function changedBudget(before: KeyRow, change: Partial<KeyRights>): Partial<KeyRights> {
  const budget = change.budget === undefined ? before.budget?.credits : change.budget
  if ((budget ?? null) !== null) return {}
  if ((change.budgetPeriod ?? null) === null) return { budgetPeriod: null }
  const message = 'A period needs a budget. Set `budget` as well.'
  throw new ApiError({ code: 'invalid_request', message, param: 'budget_period' })
}

async function newSecret(c: AppContext): Promise<KeySecret & { readonly key: string }> {
  const { keys } = await readConfig(c.env)
  const key = await mintCredential('secret-key', keys.credentialMac)
  return { key, id: newId('key'), hash: await hashCredential(key), prefix: key.slice(0, PREFIX_LENGTH) }
}

async function created(c: AppContext, key: string, keyId: string, now: number): Promise<Response> {
  const [row] = await keysOfApps(database(c.env), c.var.account.id, keyId, now)
  if (row === undefined) throw unknownKey()
  return c.json({ ...keyView(row), key } satisfies KeyCreated, 201)
}

function namedKey(c: AppContext): KeyOfAccount {
  return { id: c.req.param('key') ?? '', accountId: c.var.account.id }
}

/** The key that the path names. Throws if the account has none such. */
async function readKey(c: AppContext, now: number): Promise<KeyRow> {
  const { id, accountId } = namedKey(c)
  const [row] = await keysOfApps(database(c.env), accountId, id, now)
  if (row === undefined) throw unknownKey()
  return row
}

function unknownKey(): ApiError {
  return new ApiError({ code: 'not_found', message: 'This account has no such key.' })
}

function keyIsOver(): ApiError {
  const message = 'This key is revoked, replaced or expired. GET /api/apps shows how it stands.'
  return new ApiError({ code: 'conflict', message })
}

function notAllTold(): ApiError {
  const message = 'The change is made, but not every Session gave back its credits yet. Send it again.'
  return new ApiError({ code: 'storage_unavailable', message, retryAfterSeconds: 2 })
}
