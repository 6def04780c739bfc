import { expect, test } from 'vitest'
import { merged } from './merged.ts'

/** Yields these, each when it is let go, and tells whether it was ended early. */
class Source {
  ended = false
  readonly #steps: PromiseWithResolvers<string>[]
  constructor(count: number) {
    this.#steps = Array.from({ length: count }, () => Promise.withResolvers<string>())
  }
  yield(step: number, value: string): void {
    this.#steps[step]?.resolve(value)
  }
  fail(step: number): void {
    this.#steps[step]?.reject(new Error('broken'))
  }
  async *read(): AsyncGenerator<string, void> {
    try {
      for (const { promise } of this.#steps) yield await promise
    } finally {
      this.ended = true
    }
  }
}

test('values come as they come, with the number of their source', async () => {
  const [one, two] = [new Source(2), new Source(1)]
  const all = merged([one.read(), two.read()])
  two.yield(0, 'b')
  expect((await all.next()).value).toEqual([1, 'b'])
  one.yield(0, 'a')
  expect((await all.next()).value).toEqual([0, 'a'])
  one.yield(1, 'A')
  expect((await all.next()).value).toEqual([0, 'A'])
  expect((await all.next()).done).toBe(true)
})

test('one that fails ends all, at once, also those that wait', async () => {
  const [one, two] = [new Source(2), new Source(1)]
  const all = merged([one.read(), two.read()])
  one.yield(0, 'a')
  await all.next()
  one.fail(1)
  await expect(all.next()).rejects.toThrow('broken')
  two.yield(0, 'late')
  await expect.poll(() => two.ended).toBe(true)
})

test('a reader that leaves ends all', async () => {
  const [one, two] = [new Source(2), new Source(2)]
  const all = merged([one.read(), two.read()])
  one.yield(0, 'a')
  two.yield(0, 'b')
  await all.next()
  await all.return()
  one.yield(1, '')
  two.yield(1, '')
  await expect.poll(() => [one.ended, two.ended]).toEqual([true, true])
})
