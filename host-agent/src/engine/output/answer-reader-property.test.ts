import type { OutputPart } from '@daisi/protocol'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AnswerReader, type ReaderOptions } from './answer-reader.ts'
import { TAGGED_CALLS } from './call-syntax.ts'
import type { Piece } from './piece.ts'

const tagged: ReaderOptions = { calls: TAGGED_CALLS, thinks: true, begins: 'text', isOneCall: false }

/** The text cut into pieces after so many characters each, with the ids 0, 1, 2, … */
function cut(text: string, lengths: readonly number[]): Piece[] {
  const pieces: Piece[] = []
  let at = 0
  for (let id = 0; at < text.length; id++) {
    const length = lengths[id % lengths.length] ?? 1
    pieces.push({ text: text.slice(at, at + length), tokenIds: [id] })
    at += length
  }
  return pieces
}

function read(pieces: readonly Piece[], options = tagged): Piece[] {
  const reader = new AnswerReader(options)
  return [...pieces.flatMap((piece) => reader.push(piece)), ...reader.flush()]
}

/** What was read, with neighbours joined. */
function joined(pieces: readonly Piece[]): OutputPart[] {
  const parts: OutputPart[] = []
  for (const { text, parts: own } of pieces) {
    for (const part of own ?? [{ type: 'text' as const, text }]) {
      const last = parts.at(-1)
      if (part.type !== 'tool-call' && part.text === '') continue
      if (part.type === 'tool-call' && last?.type === 'tool-call' && last.index === part.index) {
        parts[parts.length - 1] = { ...last, arguments: last.arguments + part.arguments }
      } else if (part.type !== 'tool-call' && last?.type === part.type)
        parts[parts.length - 1] = { type: part.type, text: last.text + part.text }
      else parts.push(part)
    }
  }
  return parts
}

const word = fc.stringMatching(/^[a-z.<>{} ]{0,10}[a-z.]$/).filter((text) => !/<t|<$/.test(text))
const awkward = fc.oneof(
  fc.string(),
  fc.constantFrom('</tool_call>', '<tool_call>', '}{"\\', '<think>', '] }}'),
)
const call = fc.record({
  name: fc.stringMatching(/^[a-z_]{1,8}$/),
  arguments: fc.dictionary(fc.string(), fc.oneof(awkward, fc.integer(), fc.array(awkward))),
})
const answer = fc.record({
  thought: fc.option(word, { nil: undefined }),
  before: fc.option(
    word.map((text) => `a${text}`),
    { nil: undefined },
  ),
  calls: fc.array(call, { maxLength: 3 }),
  after: fc.option(
    word.map((text) => `b${text}`),
    { nil: undefined },
  ),
})
const lengths = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 20 })

type Answer = typeof answer extends fc.Arbitrary<infer Value> ? Value : never

function written({ thought, before, calls, after }: Answer): string {
  const texts = calls.map((one) => `<tool_call>\n${JSON.stringify(one)}\n</tool_call>\n`)
  return [thought === undefined ? '' : `<think>${thought}</think>\n\n`, before, ...texts, after].join('')
}

function meant({ thought, before, calls, after }: Answer): OutputPart[] {
  const texts = calls.length === 0 ? [`${before ?? ''}${after ?? ''}`] : [before, after]
  const [first, last] = texts.map((text): OutputPart[] =>
    text === undefined || text === '' ? [] : [{ type: 'text', text }],
  )
  return [
    ...(thought === undefined ? [] : [{ type: 'reasoning' as const, text: thought }]),
    ...(first ?? []),
    ...calls.map((one, index) => ({
      type: 'tool-call' as const,
      index,
      name: one.name,
      arguments: JSON.stringify(one.arguments),
    })),
    ...(last ?? []),
  ]
}

describe('an answer under any cuts', () => {
  test('has the same parts, and each token once, in order', () => {
    fc.assert(
      fc.property(answer, lengths, (one, sizes) => {
        const pieces = cut(written(one), sizes)
        const told = read(pieces)
        expect(joined(told)).toEqual(meant(one))
        expect(told.flatMap(({ tokenIds }) => tokenIds)).toEqual(pieces.map((_, id) => id))
      }),
      { seed: 11, numRuns: 400 },
    )
  })

  test('goes on from wherever it was cut as if it had not been', () => {
    fc.assert(
      fc.property(answer, lengths, fc.nat(), (one, sizes, where) => {
        const pieces = cut(written(one), sizes)
        const reader = new AnswerReader(tagged)
        const ids: number[] = []
        const told = pieces.map((piece) => reader.push(piece))
        for (const [index, released] of told.entries()) if (released.length > 0) ids.push(index)
        fc.pre(ids.length > 0)
        // Only what was released whole was delivered, so that is where another goes on.
        const at = ids[where % ids.length] ?? 0
        const again = new AnswerReader(tagged)
        again.resume(pieces.slice(0, at + 1))
        const rest = [...pieces.slice(at + 1).flatMap((piece) => again.push(piece)), ...again.flush()]
        expect(rest).toEqual([...told.slice(at + 1).flat(), ...reader.flush()])
      }),
      { seed: 12, numRuns: 200 },
    )
  })
})
