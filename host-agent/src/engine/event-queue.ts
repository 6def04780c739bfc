/** A stream with one writer and one reader: what is pushed before it is read waits, and `end` closes it. */
export class EventQueue<Item> implements AsyncIterable<Item> {
  readonly #items: Item[] = []
  #ended = false
  #wake: (() => void) | undefined

  /** Adds an item; ignored after `end`. */
  push(item: Item): void {
    if (this.#ended) return
    this.#items.push(item)
    this.#wake?.()
  }

  /** Ends the stream after the items that are already in it. */
  end(): void {
    this.#ended = true
    this.#wake?.()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Item, void, undefined> {
    while (true) {
      const item = this.#items.shift()
      if (item !== undefined) yield item
      else if (this.#ended) return
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
        this.#wake = undefined
      }
    }
  }
}
