import type { OutputPart } from '@daisi/protocol'
import { describe, expect, test } from 'vitest'
import { AnswerReader, type ReaderOptions } from './answer-reader.ts'
import { BARE_CALLS, TAGGED_CALLS } from './call-syntax.ts'
import type { Piece } from './piece.ts'

const TAGGED: ReaderOptions = { calls: TAGGED_CALLS, thinks: true, begins: 'text', isOneCall: false }
const BARE: ReaderOptions = { ...TAGGED, calls: BARE_CALLS, thinks: false }

/** What is read, with parts of one kind that follow each other joined. */
function read(text: string, options: ReaderOptions, length: number): readonly OutputPart[] {
  const reader = new AnswerReader(options)
  const pieces = piecesOf(text, length)
  const told = [...pieces.flatMap((piece) => reader.push(piece)), ...reader.flush()]
  expect(told.flatMap(({ tokenIds }) => tokenIds)).toEqual(pieces.map((_, id) => id))
  return joined(told)
}

/** A text in pieces of so many characters, with one id each. */
function piecesOf(text: string, length: number): readonly Piece[] {
  return Array.from({ length: Math.ceil(text.length / length) }, (_, id) => ({
    text: text.slice(id * length, (id + 1) * length),
    tokenIds: [id],
  }))
}

function joined(pieces: readonly Piece[]): readonly OutputPart[] {
  const parts: OutputPart[] = []
  for (const part of pieces.flatMap((piece) => piece.parts ?? [said(piece.text)])) {
    const whole = goOn(parts.at(-1), part)
    if (whole === undefined) parts.push(part)
    else parts[parts.length - 1] = whole
  }
  return parts.filter((part) => part.type === 'tool-call' || part.text !== '')
}

/** Both parts as one, if the second goes on where the first ends. */
function goOn(last: OutputPart | undefined, part: OutputPart): OutputPart | undefined {
  if (last?.type === 'tool-call')
    return part.type === 'tool-call' && part.index === last.index
      ? { ...last, arguments: last.arguments + part.arguments }
      : undefined
  return part.type !== 'tool-call' && part.type === last?.type
    ? { ...last, text: last.text + part.text }
    : undefined
}

function call(index: number, name: string, text: string): OutputPart {
  return { type: 'tool-call', index, name, arguments: text }
}

function said(text: string): OutputPart {
  return { type: 'text', text }
}

function thought(text: string): OutputPart {
  return { type: 'reasoning', text }
}

const CASES: readonly (readonly [string, ReaderOptions, readonly OutputPart[]])[] = [
  ['a < b <tool> </think>', TAGGED, [said('a < b <tool> </think>')]],
  [
    'Let me see. <tool_call>\n{"name": "f", "arguments": {"a": "}{\\"<"}}\n</tool_call>',
    TAGGED,
    [said('Let me see. '), call(0, 'f', '{"a": "}{\\"<"}')],
  ],
  [
    '<tool_call>{"name":"f","arguments":{}}</tool_call>\n<tool_call>{"name":"g","arguments":{"b":[{}]}}</tool_call> Done.',
    TAGGED,
    [call(0, 'f', '{}'), call(1, 'g', '{"b":[{}]}'), said('Done.')],
  ],
  // Some forget the closing mark.
  [
    '<tool_call>{"name":"f","arguments":{}}\n<tool_call>{"name":"g","arguments":{}}',
    TAGGED,
    [call(0, 'f', '{}'), call(1, 'g', '{}')],
  ],
  ['<tool_call>not JSON</tool_call>', TAGGED, [said('<tool_call>not JSON</tool_call>')]],
  ['<tool_call>{"name": "f"', TAGGED, [said('<tool_call>{"name": "f"')]],
  ['<tool_call>{"name":"f","arguments":{"a":', TAGGED, [call(0, 'f', '{"a":')]],
  ['<tool_', TAGGED, [said('<tool_')]],
  ['<think>\nhm</think>\n\nYes.', TAGGED, [thought('\nhm'), said('Yes.')]],
  [
    '<think>a <tool_call> b</think><tool_call>{"name":"f","arguments":{}}</tool_call>',
    TAGGED,
    [thought('a <tool_call> b'), call(0, 'f', '{}')],
  ],
  ['hm</think>Yes.', { ...TAGGED, begins: 'thought' }, [thought('hm'), said('Yes.')]],
  ['hm</thi', { ...TAGGED, begins: 'thought' }, [thought('hm</thi')]],
  ['<think>a</think>', { ...TAGGED, thinks: false }, [said('<think>a</think>')]],
  ['{"name": "f", "arguments": {}}\n</tool_call>', { ...TAGGED, begins: 'call' }, [call(0, 'f', '{}')]],
  ['{"name": "f", "parameters": {"a": 1}}', BARE, [call(0, 'f', '{"a": 1}')]],
  ['\n{"name": "f", "parameters": {"a": 1}}', BARE, [call(0, 'f', '{"a": 1}')]],
  ['It is {"name": "f", "parameters": {}}', BARE, [said('It is {"name": "f", "parameters": {}}')]],
  ['{"age": 27}', BARE, [said('{"age": 27}')]],
]

describe('however a text is cut into tokens, it is read alike, with all of its ids', () => {
  test.each(CASES)('[F10] %j', (text, options, parts) => {
    for (let length = 1; length <= text.length; length++) expect(read(text, options, length)).toEqual(parts)
  })
})

test('plain text passes at once, the very pieces', () => {
  const reader = new AnswerReader(TAGGED)
  for (const piece of piecesOf('It rains in Paris.', 3)) expect(reader.push(piece)).toEqual([piece])
})

test('arguments leave as they are written, behind the name', () => {
  const reader = new AnswerReader(TAGGED)
  const push = (text: string): readonly (OutputPart | undefined)[] =>
    reader.push({ text, tokenIds: [1] }).flatMap(({ parts }) => parts)
  expect(push('<tool_call>{"name":"f","arguments":')).toEqual([])
  expect(push('{"a"')).toEqual([call(0, 'f', '{"a"')])
  expect(push(':1')).toEqual([{ type: 'tool-call', index: 0, arguments: ':1' }])
})

test('[J8] what was delivered before is read and not told again', () => {
  const text = '<think>hm</think>So: <tool_call>{"name":"f","arguments":{"a":1}}</tool_call>'
  const pieces = piecesOf(text, 4)
  for (let cut = 0; cut <= pieces.length; cut++) {
    const before = new AnswerReader(TAGGED)
    const first = pieces.slice(0, cut).flatMap((piece) => before.push(piece))
    const delivered = first.flatMap(({ tokenIds }) => tokenIds).length
    const after = new AnswerReader(TAGGED)
    after.resume(pieces.slice(0, delivered))
    const rest = [...pieces.slice(delivered).flatMap((piece) => after.push(piece)), ...after.flush()]
    expect(joined([...first, ...rest])).toEqual([thought('hm'), said('So: '), call(0, 'f', '{"a":1}')])
  }
})

test('where one call is wanted, it is the end', () => {
  const reader = new AnswerReader({ ...TAGGED, isOneCall: true })
  reader.push({ text: '<tool_call>{"name":"f","arguments":{}', tokenIds: [1] })
  expect(reader.isDone).toBe(false)
  reader.push({ text: '}', tokenIds: [2] })
  expect(reader.isDone).toBe(true)
})
