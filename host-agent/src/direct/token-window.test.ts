import { DIRECT_WINDOW_TOKENS } from '@daisi/protocol'
import { expect, test } from 'vitest'
import { FrameAssembler } from '../engine/output/frame-assembler.ts'
import type { Piece } from '../engine/output/piece.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { FIRST_GRANT_BYTES, TokenWindow } from './token-window.ts'

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
  const output = new FrameAssembler(FIRST_GRANT_BYTES, (frame) => made.push(frame), clock)
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
