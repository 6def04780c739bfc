import { expect, test } from 'vitest'
import { MAX_FRAME_BYTES } from '../limits.ts'
import {
  FRAME_HEADER_BYTES,
  type Frame,
  decodeFrame,
  encodeFrame,
  partsFrame,
  readFrameHeader,
  textFrame,
} from './frame.ts'

const jobId = 'job_00112233445566778899aabbccddeeff'
const frame = textFrame({ jobId, sequence: 70_000, tokenIds: [0, 1, 4_294_967_295], text: 'añ€🌼' })

test('[F1] a frame survives the wire, also inside a larger buffer', () => {
  const bytes = encodeFrame(frame)
  expect(decodeFrame(bytes)).toEqual(frame)
  const padded = new Uint8Array(bytes.length + 7)
  padded.set(bytes, 5)
  expect(decodeFrame(padded.subarray(5, 5 + bytes.length))).toEqual(frame)
  expect(decodeFrame(bytes.buffer)).toEqual(frame)
})

test('[F1] the header alone tells job, sequence and count', () => {
  expect(readFrameHeader(encodeFrame(frame))).toEqual({
    jobId,
    sequence: 70_000,
    tokenCount: 3,
    sealed: false,
  })
})

test('[F1] the layout is fixed', () => {
  const bytes = encodeFrame(textFrame({ jobId, sequence: 1, tokenIds: [258], text: 'A' }))
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  expect(hex).toBe('010000010000000100112233445566778899aabbccddeeff0000010241')
})

test.for([
  [],
  [
    { type: 'reasoning', text: 'Hm 🌼' },
    { type: 'text', text: 'a' },
  ],
  [{ type: 'tool-call', index: 0, name: 'get_time', arguments: '{"zone"' }],
  [{ type: 'tool-call', index: 127, arguments: ':1}' }],
] as const)('[F10] parts survive the wire: %j', (parts) => {
  const sent = partsFrame({ jobId, sequence: 2, tokenIds: [5, 6], tokenCount: 2, parts })
  expect(decodeFrame(encodeFrame(sent))).toEqual(sent)
})

test.for([
  '',
  '{}',
  'null',
  '[{"type":"text"}]',
  '[{"type":"image","text":"x"}]',
  '[{"type":"tool-call","index":128,"arguments":""}]',
  '[{"type":"tool-call","index":0,"name":"not a name","arguments":""}]',
])('[F10] %s is no list of parts', (text) => {
  const sent = partsFrame({ jobId, sequence: 2, tokenIds: [5], tokenCount: 1, parts: [] })
  expect(decodeFrame(encodeFrame({ ...sent, text }))).toBeUndefined()
})

test('[F7] what is no frame is told, never thrown', () => {
  const good = encodeFrame(frame)
  const changed = (index: number, value: number): Uint8Array => {
    const copy = good.slice()
    copy[index] = value
    return copy
  }
  for (const bad of [
    new Uint8Array(0),
    good.slice(0, FRAME_HEADER_BYTES - 1),
    changed(0, 4),
    changed(1, 16),
    changed(1, 8),
    changed(2, 255),
  ]) {
    expect(readFrameHeader(bad)).toBeUndefined()
    expect(decodeFrame(bad)).toBeUndefined()
  }
  expect(readFrameHeader(new Uint8Array(MAX_FRAME_BYTES + 1))).toBeUndefined()
  expect(decodeFrame(changed(good.length - 1, 0xff))).toBeUndefined()
})

test('[F4] a frame over the limit cannot be made', () => {
  expect(() => encodeFrame({ ...frame, text: 'x'.repeat(MAX_FRAME_BYTES) })).toThrow(RangeError)
})

test('every cut of a frame is either a shorter frame or told', () => {
  const bytes = encodeFrame(frame)
  for (let length = 0; length < bytes.length; length++) {
    const cut = decodeFrame(bytes.slice(0, length))
    if (cut !== undefined) expect(frame.text.startsWith(cut.text)).toBe(true)
  }
})

test('[F1] [F8] frames with logprobs, without ids, and of results survive the wire', () => {
  const frames: Frame[] = [
    {
      ...textFrame({ jobId, sequence: 0, tokenIds: [3], text: 'añ' }),
      logprobs: [{ token: 'añ', logprob: -0.25, top: [{ token: 'b', logprob: -3 }] }],
    },
    { kind: 'text', jobId, sequence: 1, tokenCount: 4, tokenIds: [], text: 'four tokens' },
    { kind: 'result', jobId, sequence: 2, tokenCount: 0, last: false, text: 'iVBORw0' },
    { kind: 'result', jobId, sequence: 3, tokenCount: 256, last: true, text: 'KGgo=' },
  ]
  for (const each of frames) expect(decodeFrame(encodeFrame(each))).toEqual(each)
})

test('[F7] logprobs that do not fit their frame are told', () => {
  const bytes = encodeFrame({
    ...textFrame({ jobId, sequence: 0, tokenIds: [3, 4], text: 'x' }),
    logprobs: [{ token: 'x', logprob: -1, top: [] }],
  })
  expect(decodeFrame(bytes)).toBeUndefined()
  const long = bytes.slice()
  new DataView(long.buffer).setUint32(FRAME_HEADER_BYTES + 8, 100_000)
  expect(decodeFrame(long)).toBeUndefined()
})

test('a frame names all of its tokens or none', () => {
  expect(() => encodeFrame({ ...frame, tokenCount: 5 })).toThrow(RangeError)
})
