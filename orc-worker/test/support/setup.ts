import { applyD1Migrations, reset } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { forgetOperator } from './orc.ts'

/** What a file that ends while its Worker still answers somebody may leave behind is gone by then. */
const MOST_RESETS = 5

// Runs before each file. What the one before it stored, and the objects that it left, are gone.
for (let resets = 0; ; resets++) {
  await reset()
  await applyD1Migrations(env.DB, env.TEST_MIGRATIONS)
  const operators = await env.DB.prepare(
    "select count(*) n from accounts where id = 'acc_operator'",
  ).first<number>('n')
  if (operators === 0) break
  if (resets === MOST_RESETS) throw new Error('the file before this one still writes')
}
forgetOperator()
