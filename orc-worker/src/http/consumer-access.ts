import { networkName } from '@daisi/protocol'
import { readConfig } from '../config.ts'
import { checkCredential } from '../domain/credential.ts'
import type { Caller } from '../objects/session/types.ts'
import { openedSessionName, plainSessionName, sessionStub, tokenSessionName } from '../objects/stubs.ts'
import { bearer, invalidCredential } from './bearer.ts'
import { clientAddress } from './client-address.ts'
import type { AppContext } from './context.ts'
import { ApiError } from './errors.ts'

/** Checks the credential's own checksum and finds the Session it belongs to; the Session checks the rest (rules A1, A4). */
export async function admitConsumer(c: AppContext): Promise<void> {
  const config = await readConfig(c.env)
  const { credentialMac } = config.keys
  const shown = bearer(c)
  // The prefix says which kind it pretends to be, and is no secret: a wrong one of either costs the same.
  const isToken = shown.startsWith('daisi_bt_')
  const keyHash = await checkCredential(isToken ? 'browser-token' : 'secret-key', shown, credentialMac)
  if (keyHash === undefined) throw invalidCredential()
  const caller: Caller = {
    keyHash,
    network: readNetwork(c),
    origin: c.req.header('origin'),
    address: clientAddress(c.req.raw),
  }
  const sessionId = c.req.param('session') ?? c.req.header('daisi-session')
  if (sessionId === undefined) {
    const sessionName = isToken ? tokenSessionName(keyHash) : plainSessionName(keyHash)
    c.set('consumer', { caller, sessionName, config })
    return
  }
  const isMadeUp = (await checkCredential('session-id', sessionId, credentialMac)) === undefined
  // A browser token joins no Session, and a made-up one has no object of its own to refuse a bad key.
  if (isToken || isMadeUp) {
    const own = isToken ? tokenSessionName(keyHash) : plainSessionName(keyHash)
    throw new ApiError(await sessionStub(c.env, own).refuse(caller))
  }
  c.set('consumer', { caller, sessionName: openedSessionName(sessionId), config })
}

function readNetwork(c: AppContext): string | undefined {
  const network = c.req.header('daisi-network')
  if (network === undefined || networkName.safeParse(network).success) return network
  throw new ApiError({
    code: 'invalid_request',
    message: 'Daisi-Network is not a Network name.',
    param: 'Daisi-Network',
  })
}
