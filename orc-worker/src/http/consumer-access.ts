import type { RequestOptions } from '@daisi/protocol'
import { readConfig } from '../config.ts'
import { checkCredential } from '../domain/credential.ts'
import { type ReadOptions, optionsOfHeaders } from '../domain/request-options.ts'
import type { Caller } from '../objects/session/types.ts'
import {
  isTokenSession,
  openedSessionName,
  plainSessionName,
  sessionStub,
  tokenSessionName,
} from '../objects/stubs.ts'
import { consumerKey, invalidCredential } from './bearer.ts'
import { clientAddress } from './client-address.ts'
import type { AppContext } from './context.ts'
import { ApiError } from './errors.ts'

/** Checks the credential's own checksum and finds the Session it belongs to; the Session checks the rest (rules A1, A4). */
export async function admitConsumer(c: AppContext): Promise<void> {
  const config = await readConfig(c.env)
  const shown = consumerKey(c)
  // The prefix says which kind it pretends to be, and is no secret: a wrong one of either costs the same.
  const isToken = shown.startsWith('daisi_bt_')
  const kind = isToken ? 'browser-token' : 'secret-key'
  const keyHash = await checkCredential(kind, shown, config.keys.credentialMac)
  if (keyHash === undefined) throw invalidCredential()
  const options = requireOptions(optionsOfHeaders((name) => c.req.header(name)))
  const caller: Caller = {
    keyHash,
    network: options.network,
    origin: c.req.header('origin'),
    address: clientAddress(c.req.raw),
  }
  const sessionName = isToken ? tokenSessionName(keyHash) : plainSessionName(keyHash)
  c.set('options', options)
  c.set('consumer', { caller, sessionName, config })
  await joinSession(c, c.req.param('session') ?? options.session)
}

/** From here on the request belongs to this Session, if it names one. Throws `ApiError` if there can be no such Session of the caller's. */
export async function joinSession(c: AppContext, sessionId: string | undefined): Promise<void> {
  if (sessionId === undefined) return
  const { caller, sessionName, config } = c.var.consumer
  const isMadeUp = (await checkCredential('session-id', sessionId, config.keys.credentialMac)) === undefined
  // A browser token joins no Session, and a made-up one has no object of its own to refuse a bad key.
  if (isTokenSession(sessionName) || isMadeUp)
    throw new ApiError(await sessionStub(c.env, sessionName).refuse(caller))
  c.set('consumer', { caller, sessionName: openedSessionName(sessionId), config })
}

/** The options, or `invalid_request` with the header or field at fault. */
export function requireOptions(read: ReadOptions): RequestOptions {
  if (read.ok) return read.options
  const { param, message } = read.fault
  throw new ApiError({
    code: 'invalid_request',
    message: `\`${param}\` ${message}. Correct it and send the request again.`,
    param,
  })
}
