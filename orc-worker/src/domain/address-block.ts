import { parseAddress } from './cidr.ts'

/** Bits of an IPv6 address behind the network's: a machine has any of these that it likes (RFC 4291 §2.5.1). */
const INTERFACE_BITS = 64n

/** A name for what counts as one caller: an IPv4 address, or the /64 of an IPv6 one. What is no address stays as it is. */
export function addressBlock(address: string): string {
  // A zone says which of our interfaces it came by (RFC 4007 §11).
  const parsed = parseAddress(address.replace(/%.*$/s, ''))
  if (parsed === undefined) return address
  return parsed.bits === 32 ? `4:${parsed.value}` : `6:${parsed.value >> INTERFACE_BITS}`
}
