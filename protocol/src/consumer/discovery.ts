import * as z from 'zod'
import { networkName } from '../ids.ts'

/** Path of an Orc's description of itself. */
export const DISCOVERY_PATH = '/.well-known/daisi'
/** Path of the public keys with which an Orc signs Session tokens (RFC 7517). */
export const JWKS_PATH = '/.well-known/jwks.json'

/** Answer of `GET /.well-known/daisi`: everything a client or a Host needs to know before it speaks. */
export const discovery = z.object({
  issuer: z.string().min(1),
  name: z.string(),
  version: z.string(),
  networks: z.array(networkName),
  host_protocol: z.object({ version: z.int(), minimum: z.int() }),
  endpoints: z.object({
    openai: z.string(),
    sessions: z.string(),
    host_connect: z.string(),
    host_enrol: z.string(),
    jwks: z.string(),
    /** Metadata of the authorization server that lets Hosts in (RFC 8414). */
    oauth_metadata: z.string().optional(),
    /** Every route, as OpenAPI 3.1, and as a page for people. */
    openapi: z.string().optional(),
    docs: z.string().optional(),
  }),
})
export type Discovery = z.infer<typeof discovery>
