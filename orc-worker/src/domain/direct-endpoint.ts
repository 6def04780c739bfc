import { isWithin } from './cidr.ts'

/**
 * Addresses that mean another machine to everybody, or no single one: loopback, link-local, private (RFC 1122, 3927, 1918, 4291, 4193, 6598),
 * multicast, broadcast and reserved (RFC 1112), and IPv6 addresses that stand for IPv4 ones (RFC 4291 §2.5.5.1, 3056, 6052, 4380).
 */
const LOCAL = [
  '0.0.0.0/8',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '224.0.0.0/3',
  '::/96',
  '64:ff9b::/96',
  '64:ff9b:1::/48',
  '2001::/32',
  '2002::/16',
  'ff00::/8',
  'fe80::/10',
  'fc00::/7',
]

/**
 * True if a Host's own address may be told to a Consumer at `callerAddress`. One that is local leads elsewhere for everybody who is not near:
 * a stranger's Host could point a Consumer's server at that server's own network. Who comes from a local address is near. A name is not looked up.
 */
export function mayBeTold(endpoint: string, callerAddress: string | undefined): boolean {
  if (!isLocal(new URL(endpoint).hostname)) return true
  return callerAddress !== undefined && isWithin(callerAddress, LOCAL)
}

function isLocal(hostname: string): boolean {
  const address = hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '')
  return address === 'localhost' || address.endsWith('.localhost') || isWithin(address, LOCAL)
}
