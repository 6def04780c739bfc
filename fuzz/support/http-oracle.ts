import { STATUS } from '../../orc-worker/src/http/errors.ts'
import { MAX_BODY_BYTES } from '../../protocol/src/index.ts'
import type { HttpInput } from './http-input.ts'
import type { Exchange, RawAnswer } from './raw-http.ts'
import type { SecretWatch } from './secret-watch.ts'

/** Nothing takes longer than this to be answered. */
export const PATIENCE_MS = 10_000
const OAUTH_CODES = new Set([
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unsupported_grant_type',
  'authorization_pending',
  'slow_down',
  'access_denied',
  'expired_token',
  'temporarily_unavailable',
])
/** Server errors that the protocol names. A database that fails is none that any input may cause. */
const NAMED_FAULTS = new Set([
  'host_failed',
  'host_lost',
  'host_timeout',
  'no_host_available',
  'all_hosts_busy',
])

/** What is wrong with the way a request was answered. */
export function faultsOf(input: HttpInput, exchange: Exchange, watch: SecretWatch): string[] {
  if (exchange.kind === 'silent') return input.malformed ? [] : [`no answer within ${PATIENCE_MS} ms`]
  // Who is told that a body is too large while it still sends may lose the answer with the connection (RFC 9112 §9.6).
  if (exchange.kind === 'cut')
    return input.malformed || input.body.length > MAX_BODY_BYTES
      ? []
      : ['the connection broke before an answer']
  const { answer } = exchange
  const text = answer.body.toString()
  const shown = `${decoded(input.target)}\n${decoded(input.body.toString())}`
  const leaks = watch.inAnswer(`${text}\n${[...answer.headers.values()].join('\n')}`, shown)
  const faults = leaks.map((secret) => `the answer has a secret (${secret})`)
  if (!answer.headers.has('x-request-id')) {
    // workerd answers what is no HTTP by itself.
    const isUpgrade = answer.status === 101 || /^ERROR: .*WebSocket/i.test(text)
    const byWorkerd = isUpgrade || (input.malformed && answer.status >= 400)
    return byWorkerd ? faults : [...faults, `${answer.status} without x-request-id: ${text.slice(0, 80)}`]
  }
  if (answer.status >= 400 && input.method !== 'HEAD') faults.push(...errorFaults(input, answer, text))
  else if (answer.status >= 500) faults.push(`${answer.status}`)
  else faults.push(...successFaults(answer, text))
  return faults
}

function errorFaults(input: HttpInput, { status, headers }: RawAnswer, text: string): string[] {
  const type = headers.get('content-type') ?? ''
  const path = pathOf(input.target)
  if (type.startsWith('text/html')) {
    const isPage = path === '/device' || path === '/login' || path.startsWith('/login/')
    return isPage && status < 500 ? [] : [`${status} with a page`]
  }
  const error = parsed(text)?.['error']
  if (typeof error === 'string') {
    const isKnown = path.startsWith('/oauth/') && OAUTH_CODES.has(error)
    return isKnown ? [] : [`${status} with OAuth's error ${error}`]
  }
  if (typeof error !== 'object' || error === null)
    return [`${status} in no shape of ours: ${text.slice(0, 80)}`]
  const { code, message, type: kind, param } = error as Record<string, unknown>
  if (typeof code !== 'string' || !(code in STATUS))
    return [`${status} with the unknown code ${String(code)}`]
  const faults: string[] = []
  if (STATUS[code as keyof typeof STATUS] !== status) faults.push(`${code} with status ${status}`)
  if (typeof message !== 'string' || message === '' || typeof kind !== 'string' || param === undefined)
    faults.push(`${code} lacks fields`)
  if (status >= 500 && !NAMED_FAULTS.has(code)) faults.push(`${status} ${code}`)
  return faults
}

function successFaults({ status, headers, body }: RawAnswer, text: string): string[] {
  if (status === 303 || status === 302) {
    const location = headers.get('location') ?? ''
    // The only other site that this Orc sends anybody to is the one of its own settings.
    const isSafe =
      /^\/(?![/\\])/.test(location) || location.startsWith('http://127.0.0.1:9/login/oauth/authorize?')
    return isSafe ? [] : [`sends the browser to ${location.slice(0, 60)}`]
  }
  const type = headers.get('content-type') ?? ''
  if (body.length === 0) return []
  if (type.startsWith('application/json') && parsed(text) === undefined) return [`${status} with broken JSON`]
  if (type.startsWith('text/event-stream')) {
    const events = text
      .trim()
      .split('\n\n')
      .filter((event) => event.startsWith('data: '))
    const last = events.at(-1) ?? ''
    if (last !== 'data: [DONE]' && !last.includes('"error"')) return ['a stream that just stops']
  }
  return []
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

function pathOf(target: string): string {
  try {
    return decodeURIComponent(new URL(target, 'http://x').pathname)
  } catch {
    return target
  }
}

function decoded(text: string): string {
  try {
    return `${text}\n${decodeURIComponent(text.replaceAll('+', ' '))}`
  } catch {
    return text
  }
}
