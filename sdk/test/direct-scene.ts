import type { DirectRequest, SessionRequest } from '@daisi/protocol/consumer'
import { vi } from 'vitest'
import type { FakeOrc } from './fake-orc.ts'

/** What an Orc was asked, in order. */
export function paths(orc: FakeOrc): string[] {
  return orc.seen.map(({ method, url }) => `${method} ${url.pathname}`)
}

/** Chats that went through this Orc. */
export function throughOrc(orc: FakeOrc): number {
  return paths(orc).filter((path) => path.endsWith('/chat/completions')).length
}

/** Lets time go by, where the clock is the test's. */
export function pass(seconds: number): void {
  vi.setSystemTime(Date.now() + seconds * 1_000)
}

/** Tokens of each grant that an Orc was asked for, in order. */
export function askedBudgets(orc: FakeOrc): number[] {
  return orc.seen
    .filter(({ method, url }) => method === 'POST' && /\/(?:sessions|direct)$/.test(url.pathname))
    .map(({ body }) => body as SessionRequest & DirectRequest)
    .map(({ direct, budget }) => (direct === undefined ? budget : direct.budget) ?? 16_384)
}
