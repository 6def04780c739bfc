import type { Clock } from '../src/clock.ts'
import { Chat, type ChatParameters } from '../src/chat.ts'
import { Daisi } from '../src/daisi.ts'
import { DaisiError } from '../src/error.ts'
import type { DaisiOptions } from '../src/options.ts'
import { Transport } from '../src/transport.ts'
import { type FakeOrc, KEY } from './fake-orc.ts'

export const request: ChatParameters = { model: 'daisi-nano', messages: [{ role: 'user', content: 'Hello' }] }

export function client(orc: FakeOrc, options: Partial<DaisiOptions> = {}): Daisi {
  return new Daisi({ baseURL: 'http://orc.test/v1', apiKey: KEY, fetch: orc.fetch, ...options })
}

/** A clock on which waiting takes no time, and which remembers how long it was. */
export class TestClock implements Clock {
  readonly waits: number[] = []
  #now = 1_000_000
  readonly now = (): number => this.#now
  readonly random = (): number => 0.5
  readonly sleep = (ms: number): Promise<void> => {
    this.waits.push(ms)
    this.#now += ms
    return Promise.resolve()
  }
}

export function chatOn(orc: FakeOrc, clock: Clock, options: Partial<DaisiOptions> = {}): Chat {
  return new Chat(
    new Transport({ baseURL: 'http://orc.test', apiKey: KEY, fetch: orc.fetch, ...options }, clock),
  )
}

/** The error that this throws, which must be the SDK's. */
export async function errorOf(work: Promise<unknown> | (() => unknown)): Promise<DaisiError> {
  try {
    await (typeof work === 'function' ? work() : work)
  } catch (error) {
    if (DaisiError.isInstance(error)) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}
