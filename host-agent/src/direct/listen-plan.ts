import { isIPv6 } from 'node:net'
import { networkInterfaces } from 'node:os'
import { isLoopbackAddress, isPrivateAddress, isPrivateUrl } from '../private-address.ts'
import { ExitCode, FatalError } from '../exit-codes.ts'
import type { PlainReach } from './direct-server.ts'

/** Where to listen: an IP address and a port. */
export interface ListenAddress {
  readonly host: string
  readonly port: number
}

/** What the command line says about Direct Connections. */
export interface DirectFlags {
  readonly direct?: ListenAddress
  readonly directUrl?: string
  readonly directCert?: string
  readonly directKey?: string
  readonly directPlainLan?: true
}

/** How Consumers reach this Host directly. */
export interface ListenPlan {
  readonly listen: ListenAddress
  /** The address to announce; undefined: that of the listener. */
  readonly url: string | undefined
  /** No TLS, for those within reach (D10); TLS with the owner's files; or TLS with a certificate made here. */
  readonly protection: PlainReach | CertificateFiles | 'self-signed'
}

/** The owner's certificate, its chain after it, and its key, in PEM. */
export interface CertificateFiles {
  readonly certificateFile: string
  readonly keyFile: string
}

/** The plan that the command line asks for, or undefined for none. Throws a `FatalError` for one that does not hold together or is not safe (D10). */
export function planListening(flags: DirectFlags): ListenPlan | undefined {
  const { direct: listen, directUrl: url } = flags
  if (listen === undefined) {
    const { directCert, directKey, directPlainLan } = flags
    if ([url, directCert, directKey, directPlainLan].some((value) => value !== undefined))
      throw usageError(
        'direct_address_missing',
        'give the address to listen on with --direct, as in --direct 0.0.0.0:8790',
      )
    return undefined
  }
  const protection = chooseProtection(flags, listen)
  if (url !== undefined) checkUrl(url, protection)
  return { listen, url, protection }
}

/** An address without a certificate announced as `http:` and one with as `https:`; a proxy in front may add the latter. */
function checkUrl(url: string, protection: ListenPlan['protection']): void {
  if (url.startsWith('https:')) return
  if (typeof protection === 'object' || protection === 'self-signed')
    throw usageError(
      'direct_url_mismatch',
      `Direct Connections use TLS here; give --direct-url as https://, not ${url}`,
    )
  const { hostname } = new URL(url)
  const isLoopback = hostname === 'localhost' || isLoopbackAddress(hostname.replace(/^\[(.*)\]$/, '$1'))
  if (isLoopback || (protection === 'private' && isPrivateUrl(url))) return
  throw plainRefused(url)
}

function chooseProtection(
  { directCert: certificateFile, directKey: keyFile, directPlainLan }: DirectFlags,
  { host }: ListenAddress,
): ListenPlan['protection'] {
  if ((certificateFile === undefined) !== (keyFile === undefined))
    throw usageError('direct_certificate_incomplete', 'give --direct-cert and --direct-key together')
  if (certificateFile !== undefined && keyFile !== undefined) {
    if (directPlainLan === true)
      throw usageError(
        'direct_options_conflict',
        '--direct-cert asks for TLS and --direct-plain-lan for none; remove one',
      )
    return { certificateFile, keyFile }
  }
  if (isLoopbackAddress(host)) return 'loopback'
  if (directPlainLan !== true) return 'self-signed'
  if (!isWildcard(host) && !isPrivateAddress(host)) throw plainRefused(host)
  return 'private'
}

/** The address to announce for a listener that is open. */
export function endpointOf({ listen, url, protection }: ListenPlan, port: number): string {
  if (url !== undefined) return url
  const scheme = protection === 'loopback' || protection === 'private' ? 'http' : 'https'
  const host = isWildcard(listen.host) ? ownAddress() : listen.host
  return `${scheme}://${isIPv6(host) ? `[${host}]` : host}:${port}`
}

/** True if every address of this machine is listened on. */
export function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::'
}

/** The first private address of this machine, else its first one that others can reach, else loopback. */
export function ownAddress(interfaces: ReturnType<typeof networkInterfaces> = networkInterfaces()): string {
  const addresses = Object.values(interfaces)
    .flatMap((entries) => entries ?? [])
    .filter(({ internal, family, scopeid }) => !internal && (family === 'IPv4' || scopeid === 0))
    .map(({ address }) => address)
  return addresses.find((address) => isPrivateAddress(address)) ?? addresses[0] ?? '127.0.0.1'
}

function plainRefused(address: string): FatalError {
  const message = `${address} is not within the reach of plain HTTP: without TLS Direct Connections are served on loopback, and with --direct-plain-lan on private addresses; leave --direct-plain-lan out to use TLS, or give a certificate with --direct-cert and --direct-key`
  return usageError('direct_plain_refused', message)
}

function usageError(code: string, message: string): FatalError {
  return new FatalError(ExitCode.Usage, code, message)
}
