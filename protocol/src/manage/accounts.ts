import * as z from 'zod'
import { networkName } from '../ids.ts'
import { balanceView } from './credits.ts'

const name = z.string().min(1).max(64)

/** Body of `POST /api/setup`, which works once: it creates the operator account. */
export const setupRequest = z.object({ name })
/** Body of `POST /api/accounts` (operators only). The sign-up grant is paid at once. */
export const accountRequest = z.object({ name })

/** Answer of both. The token manages the account and is shown once. */
export const accountCreated = z.object({ id: z.string(), name: z.string(), token: z.string() })
export type AccountCreated = z.infer<typeof accountCreated>

/** Answer of `GET /api/account`. */
export const accountView = z.object({
  id: z.string(),
  name: z.string(),
  operator: z.boolean(),
  balance: balanceView,
})
export type AccountView = z.infer<typeof accountView>

/** Body of `POST /api/apps`. */
export const appRequest = z.object({ name })
export const appCreated = z.object({ id: z.string(), name: z.string() })
export type AppCreated = z.infer<typeof appCreated>

/** What a Secret Key may do. */
export const keyScope = z.enum(['inference', 'sessions', 'usage'])
export type KeyScope = z.infer<typeof keyScope>

/** Body of `POST /api/apps/:id/keys`. */
export const keyRequest = z.object({
  name,
  scopes: z.array(keyScope).min(1).optional(),
  networks: z.array(networkName).min(1).optional(),
})
/** Answer of `POST /api/apps/:id/keys`: `key` is the Secret Key and is shown once. */
export const keyCreated = z.object({
  id: z.string(),
  name: z.string(),
  key: z.string(),
  prefix: z.string(),
  scopes: z.array(keyScope),
  networks: z.array(networkName),
})
export type KeyCreated = z.infer<typeof keyCreated>
