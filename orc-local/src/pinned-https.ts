import type { X509Certificate } from 'node:crypto'
import type { ClientRequestArgs, IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { isIP } from 'node:net'
import type { Duplex } from 'node:stream'
import { text } from 'node:stream/consumers'
import { connect } from 'node:tls'

const PIN_PATTERN = /^(?:sha256:)?(?<hex>[0-9a-f]{64}|[0-9a-f]{2}(?::[0-9a-f]{2}){31})$/i

/** Longest that an answer may take: the database of an Orc that was just started may have to be recovered and migrated. */
const ANSWER_TIMEOUT_MS = 60_000

/** The server showed another certificate than the pinned one. Nothing was sent to it. */
export class PinMismatch extends Error {
  constructor(pin: string, shown: string | undefined) {
    super(
      `its certificate has the fingerprint ${shown ?? 'of none'}, and ${pin} was expected. Compare both with what ` +
        'the Orc prints at its start: if it is neither an old one nor a slip, somebody is in between',
    )
    this.name = 'PinMismatch'
  }
}

/** Reads a SHA-256 fingerprint, with or without `sha256:` and colons, as `sha256:` and 64 small hex digits. */
export function parsePin(value: string): string | undefined {
  const hex = PIN_PATTERN.exec(value.trim())?.groups?.['hex']
  return hex === undefined ? undefined : `sha256:${hex.replaceAll(':', '').toLowerCase()}`
}

/** The pin of a certificate: SHA-256 over its DER. */
export function pinOf(certificate: X509Certificate): string {
  return `sha256:${certificate.fingerprint256.replaceAll(':', '').toLowerCase()}`
}

/** A pin as other tools show fingerprints: `AB:CD:…`. */
export function formatFingerprint(pin: string): string {
  return (pin.slice('sha256:'.length).toUpperCase().match(/../g) ?? []).join(':')
}

/** What is asked of an Orc. */
export interface OrcRequest {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/**
 * Asks an Orc. With a pin, the connection is given up before anything is sent unless the certificate is the pinned one;
 * who signed it, for which names and until when, then says nothing more. Without one, the usual trust decides.
 *
 * @throws PinMismatch, or what `fetch` throws
 */
export async function requestOrc(url: URL, init: OrcRequest = {}, pin?: string): Promise<Response> {
  const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS)
  if (pin === undefined) return fetch(url, { ...init, signal })
  const message = await new Promise<IncomingMessage>((resolve, reject) => {
    const { method = 'GET', headers = {} } = init
    const createConnection: ClientRequestArgs['createConnection'] = (_options, handOver) => {
      connectPinned(url, pin, handOver)
      return undefined
    }
    request(url, { method, headers, signal, createConnection }, resolve).once('error', reject).end(init.body)
  })
  const body = await text(message)
  return new Response(body === '' ? null : body, { status: message.statusCode ?? 0 })
}

/** Hands a connection over only when its certificate is the pinned one. */
function connectPinned(url: URL, pin: string, handOver: (error: Error | null, socket: Duplex) => void): void {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const port = url.port === '' ? 443 : Number(url.port)
  // The handshake proves that the server has the certificate's key, whoever signed the certificate.
  const trust = { rejectUnauthorized: false, minVersion: 'TLSv1.2' } as const
  const socket = connect({ host, port, ...(isIP(host) === 0 ? { servername: host } : {}), ...trust })
  const fail = (error: Error): void => handOver(error, socket)
  socket.once('error', fail)
  socket.once('secureConnect', () => {
    socket.off('error', fail)
    const certificate = socket.getPeerX509Certificate()
    const shown = certificate === undefined ? undefined : pinOf(certificate)
    if (shown === pin) return handOver(null, socket)
    socket.destroy()
    fail(new PinMismatch(pin, shown))
  })
}
