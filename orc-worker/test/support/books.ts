import type { AccountCreated } from '@daisi/protocol'
import { expect } from 'vitest'
import { readBalance } from '../../src/db/balances.ts'
import type { Database } from '../../src/db/client.ts'
import { audit, balanceOf } from './orc.ts'

/** Everything an account has, free or held. */
export async function total(account: AccountCreated): Promise<number> {
  const { available, held } = await balanceOf(account)
  return available + held
}

/** Credits that an account can spend now, by the book. */
export async function availableBalance(db: Database, accountId: string): Promise<number> {
  return (await readBalance(db, accountId)).available
}

/** The book is whole: the sum is zero, nothing drifted, nobody is overdrawn. */
export async function balanced(): Promise<void> {
  expect(await audit()).toMatchObject({ sum: 0, drifted: 0, overdrawn: 0, misplaced: 0, unexplained: 0 })
}
