import { type AppCreated, type AppList, appRequest } from '@daisi/protocol'
import { appsOf, createApp, renameApp } from '../db/apps.ts'
import { database } from '../db/client.ts'
import { keysOfApps } from '../db/keys.ts'
import { newId } from '../domain/ids.ts'
import { epochSeconds } from '../domain/time.ts'
import type { AppContext } from '../http/context.ts'
import { ApiError } from '../http/errors.ts'
import { readJson } from '../http/read-json.ts'
import { keyView } from './key-view.ts'

/** `GET /api/apps`: the account's Apps with their keys. */
export async function getApps(c: AppContext): Promise<Response> {
  const db = database(c.env)
  const accountId = c.var.account.id
  const now = Date.now()
  const [apps, keys] = await Promise.all([appsOf(db, accountId), keysOfApps(db, accountId, undefined, now)])
  const byApp = Map.groupBy(keys, ({ appId }) => appId)
  return c.json({
    apps: apps.map(({ id, name, createdAt }) => ({
      id,
      name,
      created_at: epochSeconds(createdAt),
      keys: (byApp.get(id) ?? []).map(keyView),
    })),
  } satisfies AppList)
}

/** `POST /api/apps`. */
export async function postApp(c: AppContext): Promise<Response> {
  const { value } = await readJson(c.req.raw, appRequest)
  const id = newId('app')
  await createApp(database(c.env), { id, accountId: c.var.account.id, name: value.name }, Date.now())
  return c.json({ id, name: value.name } satisfies AppCreated, 201)
}

/** `PATCH /api/apps/:app`. */
export async function patchApp(c: AppContext): Promise<Response> {
  const { value } = await readJson(c.req.raw, appRequest)
  const id = c.req.param('app') ?? ''
  if (!(await renameApp(database(c.env), id, c.var.account.id, value.name))) throw unknownApp()
  return c.json({ id, name: value.name } satisfies AppCreated)
}

/** What an App of another account is answered, too. */
export function unknownApp(): ApiError {
  const message = 'This account has no such App. Create one with POST /api/apps.'
  return new ApiError({ code: 'not_found', message })
}
