import { applyD1Migrations, reset } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { forgetOperator } from './orc.ts'

// Runs before each file. What the one before it stored, and the objects that it left, are gone.
await reset()
await applyD1Migrations(env.DB, env.TEST_MIGRATIONS)
forgetOperator()
