import { type BrowserToken, browserTokenRequest } from '@daisi/protocol'
import { hashCredential, mintCredential } from '../domain/credential.ts'
import { epochSeconds } from '../domain/time.ts'
import type { AppContext } from '../http/context.ts'
import { openSession } from '../http/open-session.ts'
import { readJson } from '../http/read-json.ts'
import { tokenSessionName } from '../objects/stubs.ts'

const DEFAULT_TTL_SECONDS = 900

/** `POST /v1/tokens` (rule B4): a token for a browser, in the answer and nowhere else. It is a Session that whoever has it is in. */
export async function postToken(c: AppContext): Promise<Response> {
  const { value: body } = await readJson(c.req.raw, browserTokenRequest)
  const token = await mintCredential('browser-token', c.var.consumer.config.keys.credentialMac)
  const keyHash = await hashCredential(token)
  const scopes = body.scopes ?? ['inference']
  const session = {
    name: tokenSessionName(keyHash),
    expiresAt: Date.now() + (body.ttl_seconds ?? DEFAULT_TTL_SECONDS) * 1000,
    terms: { scopes, networks: body.networks, models: body.models },
  }
  const own = {
    // The id does not give the token away.
    sessionId: `ses_${await hashCredential(`token\n${keyHash}`)}`,
    keyHash,
    origins: body.origins,
    budget: body.budget ?? null,
  }
  const { network } = c.var.consumer.caller
  const record = await openSession(c, session, network, (allowed) => {
    const networks = allowed.networks.filter(({ name }) => body.networks?.includes(name) ?? true)
    return { ...allowed, ...own, scopes, networks, models: body.models ?? allowed.models }
  })
  return c.json(
    {
      object: 'browser_token',
      token,
      expires_at: epochSeconds(record.expiresAt ?? session.expiresAt),
      origins: record.origins,
      scopes,
      networks: record.networks.map(({ name }) => name),
      models: record.models,
      budget: record.budget,
    } satisfies BrowserToken,
    201,
  )
}
