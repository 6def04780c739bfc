import { isIP } from 'node:net'
import { hostname, networkInterfaces } from 'node:os'
import type { CertificateNames } from './self-signed.ts'

/** Letters, digits and hyphens between dots (RFC 1123, 2.1); some machines are called otherwise. */
const HOST_NAME = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/i

/** Under which names and addresses others may find this machine, the one to listen on included. */
export function ownNames(listenHost: string): CertificateNames {
  const hosts = ['localhost', hostname(), ...(isIP(listenHost) === 0 ? [listenHost] : [])]
  const addresses = Object.values(networkInterfaces())
    .flatMap((entries) => entries ?? [])
    .map(({ address }) => address.replace(/%.*$/, ''))
  return {
    hosts: unique(hosts.filter((name) => HOST_NAME.test(name)).map((name) => name.toLowerCase())),
    addresses: unique(['127.0.0.1', '::1', ...addresses]),
  }
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values)]
}
