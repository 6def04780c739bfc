import { DIRECT_WINDOW_TOKENS } from '@daisi/protocol'
import { expect, test } from 'vitest'
import { FrameAssembler } from '../engine/output/frame-assembler.ts'
import type { Piece } from '../engine/output/piece.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { SharedWindow, TokenWindow } from './token-window.ts'

/** Numbers from 0 to 1 that are the same in every run. */
function numbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

/** Generates with the real assembler as an engine does, hands out as a delivery does, acknowledges at random. */
function simulate(seed: number, tokens: number, acknowledgeFrom: number, longestText = 120) {
  const random = numbers(seed)
  const clock = new ManualClock()
  const window = new TokenWindow()
  const made: Piece[] = []
  const output = new FrameAssembler(window.firstGrantBytes, (frame) => made.push(frame), clock)
  let generated = 0
  let mostGenerated = 0
  for (let round = 0; round < 20_000 && window.acknowledged < tokens; round++) {
    while (generated < tokens && !output.blocked && random() < 0.9) {
      output.push({ text: 'x'.repeat(Math.floor(random() ** 4 * longestText)), tokenIds: [generated++] })
    }
    if (random() < 0.5) clock.advance(40)
    for (let frame = made[0]; frame !== undefined; frame = made[0]) {
      if (!window.fits(frame.tokenIds.length)) break
      window.produced(frame.tokenIds.length, frame.text)
      made.shift()
      window.handedOut(frame.tokenIds.length)
      output.grant(window.nextGrant())
    }
    mostGenerated = Math.max(mostGenerated, generated - window.acknowledged)
    const isAnswered = window.open >= acknowledgeFrom || generated === tokens
    if (isAnswered && random() < 0.5) {
      window.acknowledge(window.sent)
      output.grant(window.nextGrant())
    }
  }
  return { acknowledged: window.acknowledged, mostGenerated }
}

test('[D5] beyond 64 unacknowledged tokens only the one that the engine stops on is generated, and it always goes on', () => {
  for (let seed = 1; seed <= 60; seed++) {
    // A Consumer that acknowledges only now and then is served as well.
    for (const longestText of [0, 2, 120]) {
      const { acknowledged, mostGenerated } = simulate(seed, 2_000, 1 + (seed % 32), longestText)
      expect(acknowledged).toBe(2_000)
      expect(mostGenerated).toBeLessThanOrEqual(DIRECT_WINDOW_TOKENS + 1)
    }
  }
})

test('[D5] without acknowledgements generation stops', () => {
  const { acknowledged, mostGenerated } = simulate(7, 2_000, Number.POSITIVE_INFINITY)
  expect(acknowledged).toBe(0)
  expect(mostGenerated).toBeLessThanOrEqual(DIRECT_WINDOW_TOKENS + 1)
})

test('[D5] jobs of one token share the window: the next begins with the rest, and goes on with what is freed', () => {
  const shared = new SharedWindow()
  const first = new TokenWindow(shared)
  first.handedOut(40)
  const second = new TokenWindow(shared)
  expect(second.firstGrantBytes).toBe(24 + 4 * 24)
  expect([second.fits(24), second.fits(25), second.isNarrow]).toEqual([true, false, true])
  second.handedOut(24)
  expect([first.fits(1), second.fits(1), first.nextGrant(), second.nextGrant()]).toEqual([false, false, 0, 0])
  let freed = 0
  const stop = shared.onAcknowledged(() => freed++)
  expect([first.acknowledge(40), first.acknowledge(40), first.acknowledge(39)]).toEqual([true, false, false])
  expect([freed, shared.open, second.fits(40), second.fits(41)]).toEqual([1, 24, true, false])
  expect(second.nextGrant()).toBe(4 * 16)
  stop()
})
