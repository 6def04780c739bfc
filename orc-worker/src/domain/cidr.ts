/** An IP address as a number of so many bits. An IPv4-mapped IPv6 address (RFC 4291 §2.5.5.2) is the IPv4 address. */
interface Address {
  readonly bits: 32 | 128
  readonly value: bigint
}

/** A CIDR block: all addresses whose leading bits are those of `value`. */
interface Block extends Address {
  readonly prefix: number
}

const BYTE = '(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])'
const IPV4 = new RegExp(`^${BYTE}(?:\\.${BYTE}){3}$`)
const GROUP = /^[0-9a-f]{1,4}$/i
const GROUPS = 8
/** What stands before the IPv4 address in a mapped one, in 96 bits. */
const MAPPED_PREFIX = 0xffffn
const MAPPED_BITS = 96

/**
 * True if the text is a CIDR block of IPv4 (RFC 4632 §3.1) or IPv6 (RFC 4291 §2.3). Bits behind the prefix must be 0: where they
 * are not, its author had another block in mind.
 */
export function isCidr(text: string): boolean {
  return parseBlock(text) !== undefined
}

/** True if the address lies in one of the blocks. What is no address, or no block, fits nothing. */
export function isWithin(address: string, cidrs: readonly string[]): boolean {
  const parsed = parseAddress(address)
  if (parsed === undefined) return false
  return cidrs.some((cidr) => {
    const block = parseBlock(cidr)
    return block !== undefined && contains(block, parsed)
  })
}

/** True if somebody at this address may use what is open to these blocks: to everybody if there are none, and else not to one of unknown address. */
export function isOpenTo(cidrs: readonly string[], address: string | undefined): boolean {
  return cidrs.length === 0 || (address !== undefined && isWithin(address, cidrs))
}

function contains({ bits, value, prefix }: Block, address: Address): boolean {
  const rest = BigInt(bits - prefix)
  return bits === address.bits && value >> rest === address.value >> rest
}

function parseBlock(text: string): Block | undefined {
  const [, written = '', digits] = /^([^/]+)\/(0|[1-9][0-9]{0,2})$/.exec(text) ?? []
  const address = parseAddress(written)
  if (address === undefined || digits === undefined) return undefined
  // A block of mapped addresses counts all 128 bits.
  const isMapped = address.bits === 32 && written.includes(':')
  const prefix = isMapped ? Number(digits) - MAPPED_BITS : Number(digits)
  if (prefix < 0 || prefix > address.bits) return undefined
  const isAligned = BigInt.asUintN(address.bits - prefix, address.value) === 0n
  return isAligned ? { ...address, prefix } : undefined
}

/** The address, or undefined if the text is none. */
export function parseAddress(text: string): Address | undefined {
  if (IPV4.test(text)) return { bits: 32, value: ipv4(text) }
  const value = ipv6(text)
  if (value === undefined) return undefined
  if (value >> 32n === MAPPED_PREFIX) return { bits: 32, value: BigInt.asUintN(32, value) }
  return { bits: 128, value }
}

function ipv4(text: string): bigint {
  return text.split('.').reduce((value, byte) => (value << 8n) | BigInt(byte), 0n)
}

function ipv6(text: string): bigint | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const [head, tail] = halves.map((half, index) => groups(half, index === halves.length - 1))
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined
  const missing = GROUPS - head.length - (tail?.length ?? 0)
  // `::` stands for one group at least.
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined
  const zeros = Array.from({ length: missing }, () => 0n)
  return [...head, ...zeros, ...(tail ?? [])].reduce((value, group) => (value << 16n) | group, 0n)
}

/** The 16-bit groups of one side of `::`, or undefined if one is none. The last two may be written as an IPv4 address. */
function groups(text: string, isLast: boolean): bigint[] | undefined {
  if (text === '') return []
  const parts = text.split(':')
  const dotted = isLast && IPV4.test(parts.at(-1) ?? '') ? ipv4(parts.pop() ?? '') : undefined
  if (!parts.every((part) => GROUP.test(part))) return undefined
  const values = parts.map((part) => BigInt(`0x${part}`))
  return dotted === undefined ? values : [...values, dotted >> 16n, BigInt.asUintN(16, dotted)]
}
