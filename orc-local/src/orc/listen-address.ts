import { createServer, isIPv4 } from 'node:net'
import { OrcError, systemCode } from '../errors.ts'

/** An address to listen on. */
export interface ListenAddress {
  readonly host: string
  /** 0 = a free one. */
  readonly port: number
}

/** Reads `host:port`, `:port` or `[::1]:port`. */
export function parseListenAddress(text: string): ListenAddress | undefined {
  const match = /^(?:\[(?<bracketed>[^\]]+)\]|(?<plain>[^:[\]]*)):(?<port>\d{1,5})$/.exec(text)
  const port = Number(match?.groups?.['port'])
  if (match === null || port > 65_535) return undefined
  const host = match.groups?.['bracketed'] ?? match.groups?.['plain'] ?? ''
  return { host: host === '' ? '127.0.0.1' : host, port }
}

/** Whether only this machine reaches an address. A name may mean anything. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'))
}

/** `host:port` as workerd and URLs write it. */
export function formatAddress({ host, port }: ListenAddress): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** The URL under which this machine reaches such an address: the wildcards are no destination. */
export function localUrl({ host, port }: ListenAddress, scheme: 'http' | 'https' = 'http'): string {
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  return `${scheme}://${formatAddress({ host: reachable, port })}`
}

/** Fails early and clearly where the address cannot be had. workerd's own failure is the authority. */
export async function requireFreeAddress(address: ListenAddress): Promise<void> {
  const server = createServer()
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ host: address.host, port: address.port, exclusive: true }, resolve)
    })
  } catch (cause) {
    const place = formatAddress(address)
    if (systemCode(cause) === 'EADDRINUSE') {
      throw new OrcError(
        'port_in_use',
        `Port ${address.port} is already in use on ${address.host}. Choose another port.`,
        { cause },
      )
    }
    throw new OrcError(
      'address_unavailable',
      `This machine cannot listen on ${place}. Choose another address.`,
      { cause },
    )
  } finally {
    await new Promise<void>((resolve) => server.close(() => resolve()))
  }
}
