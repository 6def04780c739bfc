import { keyScope } from '@daisi/protocol'
import type { KeyRecord } from '../../db/key-access.ts'
import { hashCredential } from '../../domain/credential.ts'
import type { SessionRecord } from './types.ts'

/** The order of a key that names none. */
const DEFAULT_SPEND_ORDER = ['own', 'private', 'public'] as const

/** What the version before knew of a Session. There was one Network, a key could use every model of it, and none expired. */
type FirstRecord = Omit<
  SessionRecord,
  'network' | 'networks' | 'spendOrder' | 'models' | 'origins' | 'keyExpiresAt'
> & { readonly network: string }

/** A stored record as this version has it. */
export function completeRecord(stored: SessionRecord | FirstRecord): SessionRecord {
  if ('networks' in stored) return stored
  const networks = [{ name: stored.network, kind: 'public', cidrs: [] }] as const
  const unlimited = { spendOrder: DEFAULT_SPEND_ORDER, models: null, origins: null, keyExpiresAt: null }
  return { ...stored, networks, ...unlimited }
}

/** The record of the long-lived Session that all plain calls with one key share. */
export async function plainRecord(key: KeyRecord, keyHash: string): Promise<SessionRecord> {
  return {
    // The same key always gives the same id, and the id does not give the key away.
    sessionId: `ses_${await hashCredential(`plain\n${keyHash}\n`)}`,
    network: null,
    networks: key.networks,
    spendOrder: key.spendOrder ?? DEFAULT_SPEND_ORDER,
    models: key.models,
    origins: null,
    mode: 'orchestrated',
    accountId: key.accountId,
    keyId: key.keyId,
    keyHash,
    scopes: keyScope.options.filter((scope) => key.scopes.includes(scope)),
    keyExpiresAt: key.expiresAt,
    budget: null,
    expiresAt: key.expiresAt,
    status: 'open',
  }
}

/**
 * What an opened Session or a browser token may do now: what it was granted, as far as its key still may. What the key won since
 * is not part of it.
 */
export function grantedRecord(grant: SessionRecord, key: KeyRecord): SessionRecord {
  const present = key.spendOrder ?? DEFAULT_SPEND_ORDER
  return {
    ...grant,
    networks: key.networks.filter(({ name }) => grant.networks.some((granted) => granted.name === name)),
    spendOrder: present.filter((spendClass) => grant.spendOrder.includes(spendClass)),
    models: common(grant.models, key.models),
    scopes: grant.scopes.filter((scope) => key.scopes.includes(scope)),
    keyExpiresAt: key.expiresAt,
    expiresAt: earlier(grant.expiresAt, key.expiresAt),
  }
}

/** The earlier of two ends, where null is none. */
export function earlier(one: number | null, other: number | null): number | null {
  if (one === null || other === null) return one ?? other
  return Math.min(one, other)
}

function common(one: readonly string[] | null, other: readonly string[] | null): readonly string[] | null {
  if (one === null || other === null) return one ?? other
  return one.filter((model) => other.includes(model))
}
