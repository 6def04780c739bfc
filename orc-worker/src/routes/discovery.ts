import {
  DISCOVERY_PATH,
  type Discovery,
  HOST_CONNECT_PATH,
  HOST_ENROL_PATH,
  JWKS_PATH,
  MINIMUM_PROTOCOL_VERSION,
  OAUTH_METADATA_PATH,
  PROTOCOL_VERSION,
} from '@daisi/protocol'
import { ORC_VERSION, PUBLIC_NETWORK, readConfig } from '../config.ts'
import type { AppContext } from '../http/context.ts'

/** `GET /`: says what this is to whoever opens it in a browser. */
export function welcome(c: AppContext): Response {
  return c.text(
    `This is a DAISI Orc. Its description: ${DISCOVERY_PATH}. Its routes: /docs. Point an OpenAI client at /v1.\n`,
  )
}

/** `GET /health`: answers when the Worker runs and is configured. */
export async function health(c: AppContext): Promise<Response> {
  await readConfig(c.env)
  return c.json({ status: 'ok', version: ORC_VERSION })
}

/** `GET /.well-known/daisi`. */
export async function describeOrc(c: AppContext): Promise<Response> {
  const config = await readConfig(c.env)
  return c.json({
    issuer: config.issuer,
    name: config.name,
    version: ORC_VERSION,
    networks: [PUBLIC_NETWORK],
    host_protocol: { version: PROTOCOL_VERSION, minimum: MINIMUM_PROTOCOL_VERSION },
    endpoints: {
      openai: '/v1',
      sessions: '/v1/sessions',
      host_connect: HOST_CONNECT_PATH,
      host_enrol: HOST_ENROL_PATH,
      jwks: JWKS_PATH,
      oauth_metadata: OAUTH_METADATA_PATH,
      openapi: '/openapi.json',
      docs: '/docs',
    },
  } satisfies Discovery)
}

/** `GET /.well-known/jwks.json` (RFC 7517 §5): the public keys of Session tokens. */
export async function jwks(c: AppContext): Promise<Response> {
  const { signing } = await readConfig(c.env)
  return c.json({ keys: signing.publicJwks }, 200, { 'cache-control': 'public, max-age=300' })
}
