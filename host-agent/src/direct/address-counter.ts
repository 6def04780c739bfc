import { isIPv6 } from 'node:net'
import { isLoopbackAddress } from '../private-address.ts'

/** Connections by where they come from. Loopback, where a proxy may be, has no limit of its own. */
export class AddressCounter {
  readonly #most: number
  readonly #counts = new Map<string, number>()

  constructor(most: number) {
    this.#most = most
  }

  /** Counts a connection; returns what gives its place back, once, or undefined if there are too many. */
  take(address: string): (() => void) | undefined {
    if (isLoopbackAddress(address)) return () => {}
    const from = isIPv6(address) ? networkOf(address) : address
    const count = (this.#counts.get(from) ?? 0) + 1
    if (count > this.#most) return undefined
    this.#counts.set(from, count)
    return () => {
      const left = (this.#counts.get(from) ?? 0) - 1
      if (left > 0) this.#counts.set(from, left)
      else this.#counts.delete(from)
    }
  }
}

/** The first 64 bits of an IPv6 address, as one customer has them; the whole of one that is IPv4 inside. */
function networkOf(address: string): string {
  if (address.includes('.')) return address
  const [head = '', tail] = address.replace(/%.*$/, '').split('::')
  const front = head === '' ? [] : head.split(':')
  const back = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? [] : Array.from({ length: 8 - front.length - back.length }, () => '0')
  return [...front, ...zeros, ...back].slice(0, 4).join(':')
}
