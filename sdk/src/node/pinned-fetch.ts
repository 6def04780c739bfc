import type { IncomingMessage } from 'node:http'
import { Agent, request } from 'node:https'
import { type Duplex, Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ReadableStream as NodeReadableStream } from 'node:stream/web'
import { connect, type ConnectionOptions } from 'node:tls'
import { invalidArgument } from '../error.ts'
import type { Fetch } from '../options.ts'

const PIN = /^(?:sha256:)?([0-9a-f]{64}|[0-9a-f]{2}(?::[0-9a-f]{2}){31})$/i
/** Statuses whose answers have no body; `Response` takes none for them. */
const BODILESS: ReadonlySet<number> = new Set([101, 204, 205, 304])

/**
 * A `fetch` that trusts exactly one certificate, whoever signed it, and no other. The certificate is compared when the handshake is
 * over, in which the server has shown that it holds the certificate's key, and before a byte of the request is sent. For Orcs and
 * Hosts that have no certificate of a public authority. It takes `https:` addresses only and follows no redirect.
 *
 * @param fingerprint SHA-256 of the certificate's DER, in hex, with or without colons or `sha256:` in front
 * @throws {DaisiError} `invalid_request` if it is no fingerprint
 * @example
 * ```ts
 * const daisi = new Daisi({ baseURL: 'https://192.168.1.5:8787/v1', apiKey, fetch: pinnedFetch('AB:CD:…') })
 * ```
 */
export function pinnedFetch(fingerprint: string): Fetch {
  const hex = PIN.exec(fingerprint.trim())?.[1]?.replaceAll(':', '').toUpperCase()
  if (hex === undefined) {
    throw invalidArgument(
      'fingerprint',
      'A fingerprint is the SHA-256 of a certificate: 64 hex digits, such as AB:CD:…',
    )
  }
  const agent = new PinnedAgent(hex)
  return async (url, init) => await send(new URL(url), init, agent)
}

/** Hands a connection to HTTP only when its certificate is the pinned one. */
class PinnedAgent extends Agent {
  readonly #pin: string

  constructor(pin: string) {
    // A resumed TLS session shows no certificate.
    super({ keepAlive: true, maxCachedSessions: 0 })
    this.#pin = pin
  }

  override createConnection(
    options: ConnectionOptions,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    // The usual checks ask who signed the certificate. Here only the pin decides, below.
    const socket = connect({ ...options, rejectUnauthorized: false, minVersion: 'TLSv1.2' })
    const fail = (error: Error): void => callback?.(error, socket)
    socket.once('error', fail)
    socket.once('secureConnect', () => {
      socket.off('error', fail)
      const shown = socket.getPeerX509Certificate()?.fingerprint256.replaceAll(':', '')
      if (shown === this.#pin) return callback?.(null, socket)
      socket.destroy()
      fail(new TypeError(`The server's certificate is not the pinned one: ${shown ?? 'it shows none'}.`))
    })
  }
}

function send(url: URL, init: RequestInit, agent: Agent): Promise<Response> {
  if (url.protocol !== 'https:') throw new TypeError('A pinned fetch takes https: addresses only.')
  const { method = 'GET', body = null, signal } = init
  // Knows every kind of body, and its type.
  const carrier = new Response(body)
  const headers = { ...Object.fromEntries(carrier.headers), ...Object.fromEntries(new Headers(init.headers)) }
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    const outgoing = request(url, { method, headers, agent })
    const onAbort = (): void => void outgoing.destroy(asError(signal?.reason))
    signal?.addEventListener('abort', onAbort)
    outgoing.once('close', () => signal?.removeEventListener('abort', onAbort))
    outgoing.once('error', (error) => reject(signal?.aborted ? signal.reason : error))
    outgoing.once('response', (message) => resolve(toResponse(message)))
    if (carrier.body === null) outgoing.end()
    else if (typeof body === 'string') outgoing.end(body)
    else pipeline(toNode(carrier.body), outgoing).catch((error: unknown) => outgoing.destroy(asError(error)))
  })
}

function toResponse(message: IncomingMessage): Response {
  const { statusCode: status = 0, statusMessage = '', rawHeaders } = message
  const headers = new Headers()
  for (let at = 0; at + 1 < rawHeaders.length; at += 2)
    headers.append(rawHeaders[at] ?? '', rawHeaders[at + 1] ?? '')
  const isBodiless = BODILESS.has(status)
  if (isBodiless) message.resume()
  return new Response(isBodiless ? null : (Readable.toWeb(message) as ReadableStream<Uint8Array>), {
    status,
    statusText: statusMessage,
    headers,
  })
}

function toNode(stream: ReadableStream<Uint8Array>): Readable {
  return Readable.fromWeb(stream as NodeReadableStream)
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error('aborted')
}
