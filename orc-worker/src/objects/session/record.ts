import { keyScope } from '@daisi/protocol'
import type { KeyRecord } from '../../db/apps.ts'
import { hashCredential } from '../../domain/credential.ts'
import type { SessionRecord } from './types.ts'

/** The record of the long-lived Session that all plain calls with one key on one Network share. */
export async function plainRecord(key: KeyRecord, keyHash: string, network: string): Promise<SessionRecord> {
  return {
    // The same key and Network always give the same id, and the id does not give the key away.
    sessionId: `ses_${await hashCredential(`plain\n${keyHash}\n${network}`)}`,
    network,
    mode: 'orchestrated',
    accountId: key.accountId,
    keyId: key.keyId,
    keyHash,
    scopes: keyScope.options.filter((scope) => key.scopes.includes(scope)),
    budget: null,
    expiresAt: null,
    status: 'open',
  }
}
