import { PING_DEADLINE_MS, PING_INTERVAL_MS, type Status } from '@daisi/protocol'
import { describe, expect, test } from 'vitest'
import { sleep } from '../clock.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { Backoff } from '../backoff.ts'
import { Conversation, WELCOME_DEADLINE_MS } from './conversation.ts'
import { type LinkEvent, nextLinkState } from './link-state.ts'
import type { Socket, SocketMessage } from './socket.ts'
import { STATUS_INTERVAL_MS, StatusReporter } from './status-reporter.ts'

describe('backoff', () => {
  test('[C7] full jitter below a bound from 0.5 s that doubles up to 30 s', () => {
    const highest = new Backoff(() => 1)
    expect(Array.from({ length: 9 }, () => highest.next())).toEqual([
      500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000,
    ])
    highest.reset()
    expect(highest.next()).toBe(500)
    const half = new Backoff(() => 0.5)
    expect([half.next(), half.next()]).toEqual([250, 500])
  })

  test('a wait ends with its signal', async () => {
    const abort = new AbortController()
    const waiting = sleep(new ManualClock(), 1000, abort.signal)
    abort.abort()
    await waiting
  })
})

test('the states of a connection', () => {
  const path: LinkEvent[] = [
    'attempt',
    'prepared',
    'opened',
    'welcomed',
    'lost',
    'attempt',
    'lost',
    'stop',
    'stop',
  ]
  let state = nextLinkState('idle', 'attempt')
  for (const event of path.slice(1)) state = nextLinkState(state, event)
  expect(state).toBe('stopped')
  expect(() => nextLinkState('idle', 'welcomed')).toThrow('cannot happen')
})

describe('status', () => {
  test('[H4] at most five a second, and the last one always', () => {
    const clock = new ManualClock()
    const sent: number[] = []
    const current: Status = { type: 'status', freeSlots: 4, accepting: true }
    const reporter = new StatusReporter({
      clock,
      announced: { ...current },
      read: () => ({ ...current }),
      send: (status) => sent.push(status.freeSlots),
    })
    reporter.notify()
    expect(sent).toEqual([])
    for (const freeSlots of [3, 2, 1, 0]) {
      current.freeSlots = freeSlots
      reporter.notify()
    }
    expect(sent).toEqual([3])
    clock.advance(STATUS_INTERVAL_MS)
    expect(sent).toEqual([3, 0])
    current.freeSlots = 1
    reporter.notify()
    current.freeSlots = 0
    clock.advance(STATUS_INTERVAL_MS)
    expect(sent).toEqual([3, 0])
  })
})

describe('liveness', () => {
  class SilentSocket implements Socket {
    readonly sent: string[] = []
    terminated = false
    deliver: (message: SocketMessage) => void = () => {}
    #closed: (code: number, reason: string) => void = () => {}
    sendText(text: string): void {
      this.sent.push(text)
    }
    sendBytes(): void {}
    close(code: number): void {
      this.#closed(code, '')
    }
    terminate(): void {
      this.terminated = true
      this.#closed(1006, '')
    }
    onMessage(handler: (message: SocketMessage) => void): void {
      this.deliver = handler
    }
    onClose(handler: (code: number, reason: string) => void): void {
      this.#closed = handler
    }
  }

  const hello = { type: 'hello' } as never
  const welcome = {
    type: 'welcome',
    protocol: { version: 1, minimum: 1 },
    hostId: 'h'.repeat(43),
    alias: 'a',
    issuer: 'i',
    networks: [],
    resume: [],
  }
  const handler = { onWelcome: () => {}, onMessage: () => {} }

  test('[H8] a ping every 15 seconds; 45 seconds without a pong end the connection', async () => {
    const clock = new ManualClock()
    const socket = new SilentSocket()
    const ending = new Conversation(socket, handler, clock).run(hello)
    socket.deliver({ kind: 'text', text: JSON.stringify(welcome) })
    clock.advance(PING_INTERVAL_MS)
    expect(socket.sent.filter((text) => text === 'ping')).toHaveLength(1)
    socket.deliver({ kind: 'text', text: 'pong' })
    clock.advance(PING_DEADLINE_MS - 1)
    expect(socket.sent.filter((text) => text === 'ping')).toHaveLength(3)
    expect(socket.terminated).toBe(false)
    clock.advance(1)
    expect(socket.terminated).toBe(true)
    expect(await ending).toMatchObject({ code: 4408 })
  })

  test('[H2] an Orc that does not welcome is given up', async () => {
    const clock = new ManualClock()
    const socket = new SilentSocket()
    const ending = new Conversation(socket, handler, clock).run(hello)
    clock.advance(WELCOME_DEADLINE_MS)
    expect(await ending).toMatchObject({ code: 4408 })
  })
})
