import { encodeFrame, MAX_FRAME_BYTES, type TokenLogprob, textFrame } from '@daisi/protocol'
import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../testing/manual-clock.ts'
import { Detokenizer } from './detokenizer.ts'
import { FRAME_INTERVAL_MS, FrameAssembler } from './frame-assembler.ts'
import type { Piece } from './piece.ts'
import { type ResultPart, ResultWriter } from './result-writer.ts'
import { StopMatcher } from './stop-matcher.ts'

/** A vocabulary of single bytes: token n is byte n. */
const bytes = (ids: readonly number[]): string => Buffer.from(ids).toString('utf8')

describe('detokenizer', () => {
  test('[F2] a character of several tokens is one piece with all of its ids', () => {
    const detokenizer = new Detokenizer(bytes)
    const ids = [...Buffer.from('aé🦊b')]
    const pieces = ids.map((id) => detokenizer.push(id)).filter((piece) => piece !== undefined)
    expect(pieces.map((piece) => piece.text)).toEqual(['a', 'é', '🦊', 'b'])
    expect(pieces.flatMap((piece) => piece.tokenIds)).toEqual(ids)
  })

  test('bytes that never become a character do not hold the answer up', () => {
    const detokenizer = new Detokenizer(bytes)
    const pieces = Array.from({ length: 9 }, () => detokenizer.push(0xff))
    expect(pieces.filter((piece) => piece !== undefined)).toHaveLength(1)
    expect(detokenizer.flush()?.tokenIds).toEqual([0xff])
  })

  test('a leading space that the vocabulary drops at the start of a text is kept inside it', () => {
    const words = (ids: readonly number[]): string =>
      ids
        .map((id) => ` w${id}`)
        .join('')
        .trimStart()
    const detokenizer = new Detokenizer(words)
    expect([1, 2, 3].map((id) => detokenizer.push(id)?.text)).toEqual(['w1', ' w2', ' w3'])
    expect(new Detokenizer(words, 1).push(2)?.text).toBe(' w2')
  })
})

describe('stop strings', () => {
  const split = (stops: string[], texts: string[]): { text: string; ids: number[]; stopped: boolean } => {
    const matcher = new StopMatcher(stops)
    const out: Piece[] = []
    for (const [index, text] of texts.entries()) {
      const { pieces, stopped } = matcher.push({ text, tokenIds: [index] })
      out.push(...pieces)
      if (stopped) return { text: textOf(out), ids: out.flatMap((piece) => piece.tokenIds), stopped }
    }
    out.push(...matcher.flush())
    return { text: textOf(out), ids: out.flatMap((piece) => piece.tokenIds), stopped: false }
  }
  const textOf = (pieces: readonly Piece[]): string => pieces.map((piece) => piece.text).join('')

  test('[F2] split across tokens in every way, the text before it is the same', () => {
    const whole = 'one STOP two'
    for (let a = 1; a < whole.length - 1; a++)
      for (let b = a + 1; b < whole.length; b++) {
        const texts = [whole.slice(0, a), whole.slice(a, b), whole.slice(b)]
        expect(split(['STOP'], texts)).toMatchObject({ text: 'one ', stopped: true })
      }
  })

  test('the ids of a token that is cut are kept, those of hidden ones are not', () => {
    expect(split(['X'], ['a', 'bX', 'c'])).toEqual({ text: 'ab', ids: [0, 1], stopped: true })
    expect(split(['bc'], ['a', 'b', 'c'])).toEqual({ text: 'a', ids: [0], stopped: true })
  })

  test('[F2] what may be a beginning is held with its ids, and released when it is none', () => {
    const matcher = new StopMatcher(['\n\n'])
    expect(matcher.push({ text: 'x\n', tokenIds: [1] }).pieces).toEqual([])
    expect(matcher.push({ text: 'y', tokenIds: [2] }).pieces.map((piece) => piece.tokenIds)).toEqual([
      [1],
      [2],
    ])
  })

  test('of two, the one that is complete first wins', () => {
    expect(split(['abcd', 'bc'], ['abcd']).text).toBe('a')
    expect(split(['abcd', 'bc'], ['a', 'b', 'c', 'd']).text).toBe('a')
  })

  test('a stop string that does not come leaves everything', () => {
    expect(split(['aab'], ['a', 'a', 'a', 'a'])).toEqual({ text: 'aaaa', ids: [0, 1, 2, 3], stopped: false })
  })
})

describe('frames', () => {
  const piece = (text: string, ...tokenIds: number[]): Piece => ({ text, tokenIds })
  const never = new AbortController().signal

  test('[F4] the first at once, the rest together every 40 ms, each token once', () => {
    const clock = new ManualClock()
    const frames: Piece[] = []
    const assembler = new FrameAssembler(100_000, (frame) => frames.push(frame), clock)
    assembler.push(piece('a', 1))
    expect(frames).toEqual([piece('a', 1)])
    assembler.push(piece('b', 2))
    assembler.push(piece('c', 3))
    expect(frames).toHaveLength(1)
    clock.advance(FRAME_INTERVAL_MS)
    expect(frames[1]).toEqual(piece('bc', 2, 3))
    for (let index = 0; index < 1000; index++) {
      assembler.push(piece('d', index))
      clock.advance(1)
    }
    expect(frames.length).toBeLessThanOrEqual(2 + 1000 / FRAME_INTERVAL_MS)
  })

  test('[F5] no byte more than the window, and generation waits', async () => {
    const frames: Piece[] = []
    const clock = new ManualClock()
    // A frame of one token and one letter has 24 + 4 + 1 bytes.
    const assembler = new FrameAssembler(29, (frame) => frames.push(frame), clock)
    assembler.push(piece('a', 1))
    expect(assembler.blocked).toBe(false)
    assembler.push(piece('b', 2))
    expect(assembler.blocked).toBe(true)
    const finished = assembler.finish(never)
    assembler.grant(28)
    expect(frames).toHaveLength(1)
    assembler.grant(1)
    await finished
    expect(frames).toEqual([piece('a', 1), piece('b', 2)])
    expect(assembler.emittedTokens).toBe(2)
  })

  test('[F5] waiting ends with the job', async () => {
    const abort = new AbortController()
    const assembler = new FrameAssembler(1, () => {}, new ManualClock())
    assembler.push(piece('a', 1))
    const writable = assembler.writable(abort.signal)
    abort.abort()
    await writable
    await assembler.finish(abort.signal)
    expect(assembler.emittedTokens).toBe(0)
  })

  test('[F4] a frame never exceeds 64 KiB', async () => {
    const frames: Piece[] = []
    const assembler = new FrameAssembler(10_000_000, (frame) => frames.push(frame), new ManualClock())
    for (let index = 0; index < 100; index++) assembler.push(piece('x'.repeat(3000), index))
    await assembler.finish(never)
    expect(
      Math.max(...frames.map((frame) => 24 + frame.tokenIds.length * 4 + frame.text.length)),
    ).toBeLessThanOrEqual(65_536)
    expect(frames.flatMap((frame) => frame.tokenIds)).toHaveLength(100)
  })
})

describe('log probabilities', () => {
  const never = new AbortController().signal
  const logprobOf = (token: string): TokenLogprob => ({
    token,
    logprob: -0.123_456_789_012_345,
    top: Array.from({ length: 20 }, () => ({ token, logprob: -12.345_678_901_234_567 })),
  })

  test('[F2] stay with their tokens through unfinished characters and stop strings', () => {
    const detokenizer = new Detokenizer(bytes)
    const pieces = [...Buffer.from('aé.')].map((id) => detokenizer.push(id, logprobOf(String(id))))
    const whole = pieces.filter((piece) => piece !== undefined)
    expect(whole.map((piece) => piece.logprobs?.map(({ token }) => token))).toEqual([
      ['97'],
      ['195', '169'],
      ['46'],
    ])
    const matcher = new StopMatcher(['.'])
    const kept = whole.flatMap((piece) => matcher.push(piece).pieces)
    expect(kept.flatMap((piece) => piece.logprobs ?? [])).toHaveLength(3)
  })

  test('[F4] more of them than a frame takes are left out rather than kept for ever', async () => {
    const frames: Piece[] = []
    const assembler = new FrameAssembler(10_000_000, (frame) => frames.push(frame), new ManualClock())
    for (const count of [120, 2_000]) {
      const logprobs = Array.from({ length: count }, () => logprobOf('x'.repeat(40)))
      assembler.push({ text: '{', tokenIds: Array.from({ length: count }, (_, id) => id), logprobs })
    }
    await assembler.finish(never)
    expect(frames.map(({ tokenIds, logprobs }) => [tokenIds.length, logprobs?.[0]?.top.length])).toEqual([
      [120, 0],
      [2_000, undefined],
    ])
  })

  test('[F4] [F5] frames with them stay below 64 KiB and take exactly their bytes from the window', async () => {
    const jobId = `job_${'0'.repeat(32)}`
    const frames: Piece[] = []
    const assembler = new FrameAssembler(10_000_000, (frame) => frames.push(frame), new ManualClock())
    for (let index = 0; index < 300; index++)
      assembler.push({ text: 'é', tokenIds: [index], logprobs: [logprobOf('é'.repeat(40))] })
    await assembler.finish(never)
    const sizes = frames.map((frame) => encodeFrame(textFrame({ jobId, sequence: 0, ...frame })).length)
    expect(frames.length).toBeGreaterThan(10)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(MAX_FRAME_BYTES)
    expect(frames.flatMap((frame) => frame.logprobs ?? [])).toHaveLength(300)

    // The same again with a window of so many bytes to the byte: all of it fits, and not one byte fewer.
    const total = sizes.reduce((sum, size) => sum + size, 0)
    const exact = new FrameAssembler(total, () => {}, new ManualClock())
    for (const frame of frames) exact.push(frame)
    await exact.finish(never)
    expect(exact.emittedTokens).toBe(300)
    const short = new FrameAssembler(total - 1, () => {}, new ManualClock())
    for (const frame of frames) short.push(frame)
    expect(short.blocked).toBe(true)
    short.dispose()
  })
})

describe('results', () => {
  test('[F8] a long result is cut, and only its last part has its price', async () => {
    const parts: ResultPart[] = []
    const writer = new ResultWriter(1_000_000, (part) => parts.push(part))
    const text = 'x'.repeat(100_000)
    await writer.write(text, 7, new AbortController().signal)
    expect(parts.map((part) => part.text).join('')).toBe(text)
    expect(Math.max(...parts.map((part) => part.text.length))).toBeLessThanOrEqual(32 * 1_024)
    expect(parts.map(({ last, tokenCount }) => [last, tokenCount])).toEqual([
      [false, 0],
      [false, 0],
      [false, 0],
      [true, 7],
    ])
    expect(writer.emittedTokens).toBe(7)
  })

  test('one that was not written whole is not counted', async () => {
    const abort = new AbortController()
    const writer = new ResultWriter(33_000, () => {})
    const written = writer.write('x'.repeat(100_000), 7, abort.signal)
    abort.abort()
    await written
    expect(writer.emittedTokens).toBe(0)
  })
})
