import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { LimitPlace } from '../../domain/limit-place.ts'
import { returnPermits, takePermits } from './client.ts'

const RATE = { perMinute: 1, burst: 5 }

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

function place(name: string): LimitPlace {
  return { by: 'address', shard: 0, name }
}

/** An Orc whose limiters do this. */
function withLimiter(answer: () => Promise<unknown>): Env {
  const limiters = { getByName: () => ({ take: answer, giveBack: answer }) }
  return { ...env, LIMITERS: limiters as unknown as Env['LIMITERS'] }
}

test('what is taken is gone, and what is given back is there again', async () => {
  const here = place('client-test:one')
  expect(await takePermits(env, here, RATE, { wanted: 4 })).toEqual({ granted: 4, retryAfterMs: 0 })
  expect(await takePermits(env, here, RATE, { wanted: 4, least: 2 })).toMatchObject({ granted: 0 })
  await returnPermits(env, here, RATE, 1)
  expect(await takePermits(env, here, RATE, { wanted: 4, least: 2 })).toMatchObject({ granted: 2 })
  expect(await takePermits(env, Promise.resolve(here), RATE, { wanted: 9, returned: 3 })).toMatchObject({
    granted: 3,
  })
})

test('a limiter that fails has counted nothing, and fails nobody', async () => {
  const broken = withLimiter(async () => {
    throw new Error('the limiter is gone')
  })
  expect(await takePermits(broken, place('any'), RATE, { wanted: 1 })).toBeUndefined()
  await returnPermits(broken, place('any'), RATE, 1)
})

test('neither does a place that cannot be found', async () => {
  const nowhere = (): Promise<LimitPlace> => Promise.reject(new Error('no configuration'))
  expect(await takePermits(env, nowhere(), RATE, { wanted: 1 })).toBeUndefined()
  await returnPermits(env, nowhere(), RATE, 1)
})

test('a limiter that is silent is not waited for', async () => {
  const silent = withLimiter(() => new Promise(() => {}))
  const taking = takePermits(silent, place('any'), RATE, { wanted: 1 })
  const returning = returnPermits(silent, place('any'), RATE, 1)
  await vi.advanceTimersByTimeAsync(2_000)
  expect(await taking).toBeUndefined()
  await returning
})
