import { createHash } from 'node:crypto'
import { seededRandom } from '../../bench/support/stats.ts'

/** Choices that are the same for the same seed. Each input draws from numbers of its own, so that it can be repeated alone. */
export class Random {
  readonly #next: () => number

  constructor(...seed: readonly (string | number)[]) {
    this.#next = seededRandom(createHash('sha256').update(seed.join('/')).digest().readUInt32LE())
  }

  /** A whole number from 0, below `limit`. */
  below(limit: number): number {
    return Math.floor(this.#next() * limit)
  }

  /** True in this share of all cases. */
  chance(share: number): boolean {
    return this.#next() < share
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)] as Item
  }

  /** One of the items, each as often as its weight says. */
  weighted<Item>(items: readonly (readonly [weight: number, item: Item])[]): Item {
    let left = this.#next() * items.reduce((sum, [weight]) => sum + weight, 0)
    for (const [weight, item] of items) {
      left -= weight
      if (left < 0) return item
    }
    return (items.at(-1) as readonly [number, Item])[1]
  }

  bytes(length: number): Buffer {
    const bytes = Buffer.alloc(length)
    for (let index = 0; index < length; index++) bytes[index] = this.below(256)
    return bytes
  }

  hex(digits: number): string {
    return this.bytes(Math.ceil(digits / 2))
      .toString('hex')
      .slice(0, digits)
  }
}
