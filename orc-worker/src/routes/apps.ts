import { type AppCreated, type KeyCreated, appRequest, keyRequest, keyScope } from '@daisi/protocol'
import { PUBLIC_NETWORK, readConfig } from '../config.ts'
import { createApp, createKey, ownsApp, revokeKey } from '../db/apps.ts'
import { database } from '../db/client.ts'
import { hashCredential, mintCredential } from '../domain/credential.ts'
import { newId } from '../domain/ids.ts'
import type { AppContext } from '../http/context.ts'
import { ApiError } from '../http/errors.ts'
import { readJson } from '../http/read-json.ts'
import { plainSessionName, sessionStub } from '../objects/stubs.ts'

/** Characters of a Secret Key that are kept for display. */
const PREFIX_LENGTH = 15

/** `POST /api/apps`. */
export async function postApp(c: AppContext): Promise<Response> {
  const { value } = await readJson(c.req.raw, appRequest)
  const id = newId('app')
  await createApp(database(c.env), { id, accountId: c.var.account.id, name: value.name }, Date.now())
  return c.json({ id, name: value.name } satisfies AppCreated, 201)
}

/** `POST /api/apps/:app/keys`: the Secret Key is in the answer and nowhere else. */
export async function postKey(c: AppContext): Promise<Response> {
  const { value } = await readJson(c.req.raw, keyRequest)
  const appId = c.req.param('app') ?? ''
  const db = database(c.env)
  if (!(await ownsApp(db, appId, c.var.account.id))) {
    throw new ApiError({
      code: 'not_found',
      message: 'This account has no such App. Create one with POST /api/apps.',
    })
  }
  const networks = value.networks ?? [PUBLIC_NETWORK]
  if (networks.some((network) => network !== PUBLIC_NETWORK)) {
    throw new ApiError({
      code: 'invalid_request',
      message: `The only Network here is ${PUBLIC_NETWORK}.`,
      param: 'networks',
    })
  }
  const { keys } = await readConfig(c.env)
  const key = await mintCredential('secret-key', keys.credentialMac)
  const scopes = value.scopes ?? [...keyScope.options]
  const view = { id: newId('key'), name: value.name, prefix: key.slice(0, PREFIX_LENGTH), scopes, networks }
  await createKey(db, { ...view, appId, hash: await hashCredential(key) }, Date.now())
  return c.json({ ...view, key } satisfies KeyCreated, 201)
}

/** `DELETE /api/keys/:key`: dead at once, in every Session. May be repeated. */
export async function deleteKey(c: AppContext): Promise<Response> {
  const revoked = await revokeKey(database(c.env), c.req.param('key') ?? '', c.var.account.id, Date.now())
  if (revoked === undefined)
    throw new ApiError({ code: 'not_found', message: 'This account has no such key.' })
  const names = revoked.networks.map((network) => plainSessionName(revoked.hash, network))
  await Promise.all(names.map((name) => sessionStub(c.env, name).revoke()))
  return c.body(null, 204)
}
