import { type KeyView, keyScope } from '@daisi/protocol'
import type { KeyRow } from '../db/keys.ts'
import { epochSeconds } from '../domain/time.ts'

/** A key as the management API shows it. */
export function keyView(row: KeyRow): KeyView {
  const { budget } = row
  return {
    id: row.id,
    name: row.name,
    prefix: row.prefix,
    scopes: keyScope.options.filter((scope) => row.scopes.includes(scope)),
    networks: row.networks,
    models: row.models,
    spend_order: row.spendOrder,
    budget:
      budget === undefined
        ? null
        : {
            credits: budget.credits,
            period: budget.period,
            spent: budget.spent,
            held: budget.held,
            resets_at: seconds(budget.resetsAt),
          },
    created_at: epochSeconds(row.createdAt),
    expires_at: seconds(row.expiresAt),
    last_used_at: seconds(row.lastUsedAt),
    revoked_at: seconds(row.revokedAt),
    replaced_by: row.replacedBy,
  }
}

function seconds(time: number | null): number | null {
  return time === null ? null : epochSeconds(time)
}
