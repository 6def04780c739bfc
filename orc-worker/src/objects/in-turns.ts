/** Objects told at the same time. */
const TOLD_AT_ONCE = 20

/** Not everybody that a change concerns could be told of it. The change is made: whoever asked for it must ask again. */
export class NotAllTold extends Error {
  constructor(untold: number, cause: unknown) {
    super(`${untold} could not be told of a change`, { cause })
    this.name = 'NotAllTold'
  }
}

/**
 * Tells everybody, some at the same time, in the order given. One that fails keeps no other from being told. Throws `NotAllTold` at the
 * end if any failed.
 */
export async function inTurns<Item>(
  everybody: readonly Item[],
  tell: (item: Item) => Promise<void>,
  atOnce = TOLD_AT_ONCE,
): Promise<void> {
  const failures: unknown[] = []
  for (let start = 0; start < everybody.length; start += atOnce) {
    const told = await Promise.allSettled(
      everybody.slice(start, start + atOnce).map(async (item) => tell(item)),
    )
    failures.push(...told.flatMap((result) => (result.status === 'rejected' ? [result.reason] : [])))
  }
  if (failures.length > 0) throw new NotAllTold(failures.length, failures[0])
}
