import { isIP } from 'node:net'
import { ownNames } from '../tls/own-names.ts'
import type { ServerCertificate } from '../tls/server-certificate.ts'
import type { ListenAddress } from './listen-address.ts'

/** A name, an IPv4 address or an IPv6 address in brackets, perhaps with a port behind it. No wildcard. */
const HOST = /^(?:\[[\da-f:.]+\]|[^\s:/?#@[\]\\,*%]+)(?::(?<port>\d{1,5}))?$/i

/** Whether a text names a host as URLs do, with or without a port. */
export function isHost(text: string): boolean {
  const port = HOST.exec(text)?.groups?.['port'] ?? '0'
  return HOST.test(text) && Number(port) <= 65_535 && URL.canParse(`http://${text}`)
}

/** What an Orc's own names depend on. */
export interface OwnHosts {
  /** With port 0 its names are good on every port: which one it will be is not known yet. */
  readonly listen: ListenAddress
  readonly certificate: Pick<ServerCertificate, 'names'> | undefined
  /** Further ones, of a proxy or a name server, with the ports that they say themselves. */
  readonly publicNames: readonly string[]
}

/**
 * Everything that an Orc may be called, for its setting `ALLOWED_HOSTS`: this machine's names and addresses as they are now,
 * what it listens on, what its certificate says, and what it was told. workerd hands it requests under any name.
 */
export function ownHosts({ listen, certificate, publicNames }: OwnHosts): string {
  const { hosts, addresses } = ownNames(listen.host)
  const names = [...hosts, ...addresses, ...(certificate?.names ?? [])].map(inUrl).filter(isHost)
  const port = listen.port === 0 ? '' : `:${listen.port}`
  return [...new Set([...names.map((name) => `${name}${port}`), ...publicNames])].join(',')
}

function inUrl(name: string): string {
  return isIP(name) === 6 ? `[${name}]` : name
}
