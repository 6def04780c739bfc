import { env } from 'cloudflare:workers'
import type { Transfer } from '../../src/domain/money/transfer.ts'
import { operatorAccount } from './orc.ts'

/** Runs one statement on the database, past the code that usually writes to it. */
export async function runStatement(statement: string, ...values: unknown[]): Promise<void> {
  await env.DB.prepare(statement)
    .bind(...values)
    .run()
}

/** Writes a transfer without the code that usually does. */
export function insertTransfer(entry: Transfer & { sequence?: number }, verb = 'INSERT'): Promise<void> {
  const { id, debit, credit, payer, payee, amount, reason, note = null, sequence = null } = entry
  return runStatement(
    `${verb} INTO transfers (sequence, id, debit, credit, payer, payee, amount, reason, note, created_at)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0)`,
    sequence,
    id,
    debit,
    credit,
    payer,
    payee,
    amount,
    reason,
    note,
  )
}

/** Lets an operator freeze this much of an account. */
export async function freeze(accountId: string, amount: number): Promise<void> {
  const { id } = await operatorAccount()
  await runStatement(
    `INSERT INTO freezes (account_id, amount, note, operator_id, created_at) VALUES (?, ?, 'why', ?, 0)`,
    accountId,
    amount,
    id,
  )
}
