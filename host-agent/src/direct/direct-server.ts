import { createServer as createPlain, type Server, type ServerOptions } from 'node:http'
import { createServer as createSecure } from 'node:https'
import type { Socket } from 'node:net'
import { isLoopbackAddress, isPrivateAddress } from '../private-address.ts'
import { AddressCounter } from './address-counter.ts'
import type { DirectEndpoint } from './direct-endpoint.ts'

/** What one or all of those who connect can take. Times are in milliseconds. */
export interface DirectLimits {
  /** For the head of a request, from its connection or its first byte on; also for the TLS handshake. */
  readonly headMs: number
  /** For a whole request, its body included. */
  readonly requestMs: number
  /** For a body, and as much longer as its bytes so far take at the rate below. */
  readonly bodyMs: number
  readonly bodyBytesPerSecond: number
  /** Without a request. */
  readonly idleMs: number
  readonly connections: number
  /** Of one address, or of one /64 of IPv6, as one customer has it. Loopback, where a proxy may be, has no such limit. */
  readonly connectionsPerAddress: number
}

export const DIRECT_LIMITS: DirectLimits = {
  headMs: 10_000,
  requestMs: 60_000,
  bodyMs: 10_000,
  bodyBytesPerSecond: 64 * 1024,
  idleMs: 15_000,
  connections: 512,
  connectionsPerAddress: 64,
}

/** Certificate and key in PEM. */
export interface TlsPair {
  readonly certificate: string
  readonly key: string
}

/** Who may connect without TLS (D10). */
export type PlainReach = 'loopback' | 'private'

const MAX_HEAD_BYTES = 16 * 1024
const OLDEST_TLS = 'TLSv1.2'

/** The server behind a Host's own address: TLS, or plain within reach, and limits on everything that it is sent. */
export function createDirectServer(
  protection: TlsPair | PlainReach,
  endpoint: DirectEndpoint,
  limits: DirectLimits,
): Server {
  const common: ServerOptions = {
    headersTimeout: limits.headMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.idleMs,
    connectionsCheckingInterval: Math.min(1_000, limits.headMs),
    maxHeaderSize: MAX_HEAD_BYTES,
  }
  const server =
    typeof protection === 'string'
      ? createPlain(common)
      : createSecure({
          ...common,
          cert: protection.certificate,
          key: protection.key,
          minVersion: OLDEST_TLS,
          handshakeTimeout: limits.headMs,
        })
  server.maxConnections = limits.connections
  server.maxHeadersCount = 64
  const addresses = new AddressCounter(limits.connectionsPerAddress)
  server.on('connection', (socket: Socket) => {
    const giveBack = isWithinReach(socket, protection)
      ? addresses.take(socket.remoteAddress ?? '')
      : undefined
    if (giveBack === undefined) socket.destroy()
    else socket.once('close', giveBack)
  })
  const handle = (...[request, response]: Parameters<DirectEndpoint['handle']>): void =>
    void endpoint.handle(request, response)
  server.on('request', handle)
  // The body is asked for only when token and proof count.
  server.on('checkContinue', handle)
  return server
}

/** Whether a connection may be served (D10): without TLS, both its ends have to be within reach. */
export function isWithinReach(
  { localAddress, remoteAddress }: Pick<Socket, 'localAddress' | 'remoteAddress'>,
  protection: TlsPair | PlainReach,
): boolean {
  if (typeof protection !== 'string') return true
  const isNear = protection === 'loopback' ? isLoopbackAddress : isPrivateAddress
  return isNear(localAddress ?? '') && isNear(remoteAddress ?? '')
}
