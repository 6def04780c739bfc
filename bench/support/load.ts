import { setTimeout as sleep } from 'node:timers/promises'

/** Does `one` `count` times, `concurrency` at once: the next starts when one ends. */
export async function closedLoop<Result>(
  count: number,
  concurrency: number,
  one: () => Promise<Result>,
): Promise<{ results: Result[]; seconds: number }> {
  const results: Result[] = []
  let started = 0
  const startedAt = performance.now()
  const worker = async (): Promise<void> => {
    while (started < count) {
      started++
      results.push(await one())
    }
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
  return { results, seconds: (performance.now() - startedAt) / 1000 }
}

/** Starts `one` `perSecond` times a second, `count` times, whether earlier ones have ended or not. */
export async function openLoop<Result>(
  count: number,
  perSecond: number,
  one: () => Promise<Result>,
): Promise<{ results: Result[]; seconds: number; latenessMs: number[] }> {
  const pending: Promise<Result>[] = []
  const latenessMs: number[] = []
  const startedAt = performance.now()
  for (let index = 0; index < count; index++) {
    const dueAt = startedAt + (index / perSecond) * 1000
    const waitMs = dueAt - performance.now()
    if (waitMs > 0) await sleep(waitMs)
    latenessMs.push(Math.max(0, performance.now() - dueAt))
    pending.push(one())
  }
  const results = await Promise.all(pending)
  return { results, seconds: (performance.now() - startedAt) / 1000, latenessMs }
}
