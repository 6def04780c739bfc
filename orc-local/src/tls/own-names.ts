import { isIP } from 'node:net'
import { hostname, networkInterfaces } from 'node:os'
import type { CertificateNames } from './self-signed.ts'

/** Letters, digits and hyphens between dots (RFC 1123, 2.1); some machines are called otherwise. */
const HOST_NAME = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/i

/** Stand for all addresses of a machine and are none. */
const WILDCARDS: ReadonlySet<string> = new Set(['0.0.0.0', '::'])

/** Under which names and addresses others may find this machine, the one to listen on included. */
export function ownNames(listenHost: string): CertificateNames {
  const own = hostname()
  // On a LAN without a name server, machines find each other by multicast DNS (RFC 6762 §3).
  const hosts = [
    'localhost',
    own,
    `${own.split('.')[0]}.local`,
    ...(isIP(listenHost) === 0 ? [listenHost] : []),
  ]
  const listened = isIP(listenHost) === 0 || WILDCARDS.has(listenHost) ? [] : [listenHost]
  const addresses = Object.values(networkInterfaces())
    .flatMap((entries) => entries ?? [])
    .map(({ address }) => address.replace(/%.*$/, ''))
  return {
    hosts: unique(hosts.filter((name) => HOST_NAME.test(name)).map((name) => name.toLowerCase())),
    addresses: unique(['127.0.0.1', '::1', ...listened, ...addresses]),
  }
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values)]
}
