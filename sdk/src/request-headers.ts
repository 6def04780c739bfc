import type { Call } from './call.ts'
import { invalidArgument } from './error.ts'
import type { DaisiOptions, RequestOptions } from './options.ts'
import { randomHex } from './random-hex.ts'

/** All headers but the credential: the same for every attempt of a call. */
export function requestHeaders(call: Call, client: DaisiOptions, options: RequestOptions): Headers {
  const session = call.joinsSession ? (options.session ?? client.session) : undefined
  // A Session is bound to its Network, which need not be the client's.
  const network = options.network ?? (session === undefined ? client.network : undefined)
  const key = call.method === 'POST' ? (options.idempotencyKey ?? randomHex()) : undefined
  // Said here because runtimes differ in what they let into a header.
  if (key !== undefined && !/^[\x20-\x7e]{1,255}$/.test(key)) {
    throw invalidArgument('idempotencyKey', 'idempotencyKey must be 1 to 255 printable ASCII characters')
  }
  const fields: Record<string, string | undefined> = {
    accept: 'application/json, text/event-stream',
    'content-type': call.body === undefined ? undefined : 'application/json',
    'daisi-network': network,
    'daisi-host': options.host,
    'daisi-exclude-hosts': options.excludeHosts?.join(','),
    'daisi-wait': options.waitSeconds?.toString(),
    'daisi-session': typeof session === 'object' ? session.id : session,
    'idempotency-key': key,
    ...options.headers,
  }
  const headers = new Headers()
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue
    try {
      headers.set(name, value)
    } catch (cause) {
      throw invalidArgument(name, `${name} cannot be sent in a header`, cause)
    }
  }
  return headers
}
