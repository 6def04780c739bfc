import { BlockList, isIP } from 'node:net'

/** Loopback, RFC 1918, link-local (RFC 3927, RFC 4291) and unique local (RFC 4193) addresses. */
const PRIVATE = new BlockList()
PRIVATE.addSubnet('127.0.0.0', 8, 'ipv4')
PRIVATE.addSubnet('10.0.0.0', 8, 'ipv4')
PRIVATE.addSubnet('172.16.0.0', 12, 'ipv4')
PRIVATE.addSubnet('192.168.0.0', 16, 'ipv4')
PRIVATE.addSubnet('169.254.0.0', 16, 'ipv4')
PRIVATE.addAddress('::1', 'ipv6')
PRIVATE.addSubnet('fc00::', 7, 'ipv6')
PRIVATE.addSubnet('fe80::', 10, 'ipv6')

const LOOPBACK = new BlockList()
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4')
LOOPBACK.addAddress('::1', 'ipv6')

/** True if an IP address (v4, v6, or v4 as v6 shows it, RFC 4291 §2.5.5.2) is loopback, private or link-local. */
export function isPrivateAddress(address: string): boolean {
  return isIn(PRIVATE, address)
}

/** True if an IP address leads to this machine only. */
export function isLoopbackAddress(address: string): boolean {
  return isIn(LOOPBACK, address)
}

function isIn(list: BlockList, address: string): boolean {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '')
  const family = isIP(plain)
  return family !== 0 && list.check(plain, family === 4 ? 'ipv4' : 'ipv6')
}

/**
 * True if a URL names a machine that no packet leaves the local network for. A name other than `localhost` (RFC 6761) may
 * lead anywhere and counts as public.
 */
export function isPrivateUrl(url: string): boolean {
  const host = new URL(url).hostname.replace(/^\[(.*)\]$/, '$1')
  if (host === 'localhost' || host.endsWith('.localhost')) return true
  return isPrivateAddress(host)
}
