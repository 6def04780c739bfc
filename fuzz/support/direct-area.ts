import { DIRECT_ACKNOWLEDGE_PATH, DIRECT_CHAT_PATH } from '../../protocol/src/index.ts'
import type { AccountCreated, AppCreated, KeyCreated } from '../../protocol/src/index.ts'
import { manageApi } from '../../orc-local/src/manage-api.ts'
import { canaryFaults } from './canary.ts'
import { DirectConsumer, type HeldGrant } from './direct-consumer.ts'
import { type DirectRequest, directInput } from './direct-input.ts'
import type { Span } from './http-area.ts'
import { asCurl, bytesOf } from './http-input.ts'
import { PATIENCE_MS } from './http-oracle.ts'
import { Random } from './random.ts'
import { type Exchange, RawConnection } from './raw-http.ts'
import type { Tally } from './tally.ts'
import { NANO, type World } from './world.ts'

const AREA = 'direct'
const CONNECTIONS = 8
const MALFORMED_PATIENCE_MS = 1_500
/** Inputs that share a Session token. */
const INPUTS_OF_A_GRANT = 12
const CANARY_EVERY = 1_000
/** Errors that a Host may answer. A fault of its own is none of them, nor being busy: what it was sent before is over. */
const CODES = new Set([
  'invalid_json',
  'invalid_request',
  'invalid_payload',
  'unsupported_parameter',
  'context_length_exceeded',
  'missing_credentials',
  'proof_invalid',
  'token_invalid',
  'token_expired',
  'token_audience',
  'token_network',
  'token_budget',
  'not_found',
  'method_not_allowed',
  'job_replayed',
  'unacknowledged',
  'body_too_large',
  'rate_limited',
  'model_not_loaded',
])

/** Sends requests and acknowledgements to the real Host's own listener. */
export async function fuzzDirect(
  world: World,
  tally: Tally,
  { seed, first, count, progress }: Span,
): Promise<void> {
  const startedAt = performance.now()
  const consumer = new DirectConsumer(world.url, await newKey(world))
  const end = first + count
  let next = first
  const work = async (): Promise<void> => {
    let connection: RawConnection | undefined
    let grant: HeldGrant | undefined
    for (let turn = 0; next < end && world.dead.length === 0; turn++) {
      const index = next++
      if (turn % INPUTS_OF_A_GRANT === 0) grant = await consumer.grant(NANO)
      if (grant === undefined) {
        tally.fail({ area: AREA, index, what: 'no grant for the real Host', reproduction: '' })
        return
      }
      world.watch.add(grant.token)
      const { port } = new URL(grant.endpoint)
      connection ??= new RawConnection(Number(port))
      const request = directInput(new Random(seed, AREA, index), consumer, grant)
      await sendOne(world, tally, { connection, request, grant, index, endpoint: grant.endpoint })
      if (index % CANARY_EVERY === CANARY_EVERY - 1) {
        await checkCanary(world, tally, index)
        progress(`${AREA}: ${index - first} of ${count}, ${tally.failures} failures`)
      }
    }
    connection?.close()
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, work))
  await checkCanary(world, tally, end)
  tally.took(AREA, performance.now() - startedAt)
}

interface Sending {
  readonly connection: RawConnection
  readonly request: DirectRequest
  readonly grant: HeldGrant
  readonly index: number
  readonly endpoint: string
}

async function sendOne(
  world: World,
  tally: Tally,
  { connection, request, grant, index, endpoint }: Sending,
): Promise<void> {
  const { input } = request
  tally.input(AREA)
  const exchange = await connection.exchange(bytesOf(input), {
    isHead: input.method === 'HEAD',
    thenEnd: input.malformed,
    patienceMs: input.malformed ? MALFORMED_PATIENCE_MS : PATIENCE_MS,
  })
  tally.answered(AREA, exchange.kind === 'answered' ? String(exchange.answer.status) : exchange.kind)
  for (const what of faultsOf(world, request, exchange)) {
    const got =
      exchange.kind === 'answered' ? exchange.answer.body.toString().slice(0, 300) : exchange.received
    tally.fail({ area: AREA, index, what, reproduction: `${asCurl(input, endpoint)}\n    answered: ${got}` })
  }
  if (exchange.kind !== 'answered' || exchange.answer.status !== 200 || request.jobId === undefined) return
  // What was read is acknowledged, or the token would soon be good for nothing more (rule D5).
  const { headers, body } = exchange.answer
  const generatedTokens = Number(/(?:^|\n)id: (\d+)\n(?![^]*\nid: )/.exec(body.toString())?.[1] ?? 0)
  const acknowledgement = grant.acknowledge({
    aud: grant.hostId,
    sid: grant.sessionId,
    jobId: request.jobId,
    promptTokens: Number(headers.get('daisi-prompt-tokens') ?? 0),
    cachedTokens: Number(headers.get('daisi-cached-tokens') ?? 0),
    generatedTokens,
    iat: Math.floor(Date.now() / 1000),
  })
  const answer = await fetch(endpoint + DIRECT_ACKNOWLEDGE_PATH, {
    method: 'POST',
    headers: { 'content-type': 'text/plain' },
    body: acknowledgement,
  })
  await answer.body?.cancel()
  tally.answered(AREA, `acknowledged ${answer.status}`)
}

function faultsOf(world: World, { input }: DirectRequest, exchange: Exchange): string[] {
  if (exchange.kind === 'silent') return input.malformed ? [] : [`no answer within ${PATIENCE_MS} ms`]
  if (exchange.kind === 'cut') return input.malformed ? [] : ['the connection broke before an answer']
  const { status, headers, body } = exchange.answer
  const text = body.toString()
  const faults = world.watch
    .inAnswer(text, input.body.toString())
    .map((secret) => `the answer has a secret (${secret})`)
  if (status < 400 || input.method === 'HEAD') {
    const isStream = (headers.get('content-type') ?? '').startsWith('text/event-stream')
    const isWhole = text.trimEnd().endsWith('data: [DONE]') || text.includes('"error"')
    return isStream && input.target === DIRECT_CHAT_PATH && !isWhole
      ? [...faults, 'a stream that just stops']
      : faults
  }
  // Node itself answers what is no HTTP.
  if (body.length === 0 && input.malformed) return faults
  const code = /"code":\s*"(\w+)"/.exec(text)?.[1]
  if (code === undefined || !CODES.has(code)) return [...faults, `${status} ${text.slice(0, 100)}`]
  return faults
}

async function checkCanary(world: World, tally: Tally, index: number): Promise<void> {
  for (const what of await canaryFaults(world))
    tally.fail({ area: AREA, index: undefined, what, reproduction: `before input ${index}` })
}

async function newKey(world: World): Promise<string> {
  const root = manageApi(world.url, world.root.token)
  const account = await root.post<AccountCreated>('/api/accounts', { name: 'direct' })
  const api = manageApi(world.url, account.token)
  const app = await api.post<AppCreated>('/api/apps', { name: 'direct' })
  const { key } = await api.post<KeyCreated>(`/api/apps/${app.id}/keys`, {
    name: 'direct',
    scopes: ['inference', 'sessions'],
  })
  for (const secret of [account.token, key]) world.watch.add(secret)
  return key
}
