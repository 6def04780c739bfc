import type { KeyScope } from '@daisi/protocol'
import { isOpenTo } from '../../domain/cidr.ts'
import {
  INVALID_KEY,
  MODEL_NOT_ALLOWED,
  NETWORK_NOT_ALLOWED,
  ORIGIN_NOT_ALLOWED,
  refusal,
} from './refusals.ts'
import type { Authorized, Caller, SessionFailure, SessionRecord, SessionTerms } from './types.ts'

/** Whether its key or the Session itself is what a caller shows, and so what must not have ended. */
export type ShownCredential = 'key' | 'session'

/**
 * What this caller may do in a Session, or why nothing: the record with the Networks that the caller names and may reach from
 * where it is. Without a scope any will do.
 */
export function permit(
  record: SessionRecord,
  caller: Caller,
  scope: KeyScope | undefined,
  shown: ShownCredential,
  now: number,
): Authorized | SessionFailure {
  const end = shown === 'key' ? record.keyExpiresAt : record.expiresAt
  if (record.status === 'revoked' || (end !== null && end <= now)) return INVALID_KEY
  if (record.origins !== null && !isOneOf(caller.origin, record.origins)) return ORIGIN_NOT_ALLOWED
  if (scope !== undefined && !record.scopes.includes(scope)) return lacks(scope)
  const networks = record.networks.filter(
    (network) =>
      (caller.network === undefined || network.name === caller.network) &&
      isOpenTo(network.cidrs, caller.address),
  )
  return networks.length === 0 ? NETWORK_NOT_ALLOWED : { ok: true, record: { ...record, networks } }
}

/** Why nothing can be opened that may do this much, or undefined if it can: it may do no more than what it is opened with. */
export function refuseTerms(
  { scopes, networks, models }: SessionTerms,
  allowed: SessionRecord,
): SessionFailure | undefined {
  const missing = scopes?.find((scope) => !allowed.scopes.includes(scope))
  if (missing !== undefined) return lacks(missing)
  if (networks?.some((name) => !allowed.networks.some((network) => network.name === name)) === true)
    return NETWORK_NOT_ALLOWED
  return models?.some((model) => allowed.models?.includes(model) === false) === true
    ? MODEL_NOT_ALLOWED
    : undefined
}

/** Why a Session may not use a model, or undefined if it may. */
export function refuseModel({ models }: SessionRecord, model: string): SessionFailure | undefined {
  return models === null || models.includes(model) ? undefined : MODEL_NOT_ALLOWED
}

function lacks(scope: KeyScope): SessionFailure {
  return refusal('insufficient_scope', `This key lacks the scope ${scope}. Create a key that has it.`)
}

function isOneOf(value: string | undefined, values: readonly string[]): boolean {
  return value !== undefined && values.includes(value)
}

/** True if a Session begins nothing more. */
export function hasEnded({ status, expiresAt }: SessionRecord, now: number): boolean {
  return status !== 'open' || (expiresAt !== null && expiresAt <= now)
}
