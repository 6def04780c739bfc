/**
 * What several sources yield, with their numbers, as it comes. When one of them fails, or the reader leaves, the others are told to end.
 */
export async function* merged<Value>(
  sources: readonly AsyncGenerator<Value, void>[],
): AsyncGenerator<readonly [number, Value], void> {
  const [only, ...more] = sources
  if (only === undefined) return
  if (more.length === 0) {
    for await (const value of only) yield [0, value]
    return
  }
  const waiting = new Map<number, Promise<readonly [number, IteratorResult<Value, void>]>>()
  const ask = (index: number): void => {
    const source = sources[index]
    if (source === undefined) return
    const next = source.next().then((result) => [index, result] as const)
    // Whoever waits for it hears of a fault; once another has failed nobody does.
    next.catch(() => undefined)
    waiting.set(index, next)
  }
  for (const index of sources.keys()) ask(index)
  try {
    while (waiting.size > 0) {
      const [index, result] = await Promise.race(waiting.values())
      waiting.delete(index)
      if (result.done === true) continue
      yield [index, result.value]
      ask(index)
    }
  } finally {
    // One that waits for its Host ends when that does, or its relay is closed: nobody waits for it here.
    for (const source of sources) source.return().catch(() => undefined)
  }
}
