import { expect, test } from 'vitest'
import { MAX_MESSAGE_BYTES } from '../limits.ts'
import { decodeDown, decodeUp, encodeDown, encodeUp } from './codec.ts'
import type { Down } from './down.ts'
import type { Up } from './up.ts'

const jobId = 'job_00112233445566778899aabbccddeeff'

test('control messages survive the wire', () => {
  const up: Up = { type: 'accepted', jobId, promptTokens: 3, cachedTokens: 0 }
  const down: Down = { type: 'credit', jobId, bytes: 5, ackedSequence: 2 }
  expect(decodeUp(encodeUp(up))).toEqual({ kind: 'message', message: up })
  expect(decodeDown(encodeDown(down))).toEqual({ kind: 'message', message: down })
})

test('[H6] unknown types are told from malformed ones', () => {
  expect(decodeUp('{"type":"weather"}')).toEqual({ kind: 'unknown' })
  expect(decodeDown('{"type":"hello"}')).toEqual({ kind: 'unknown' })
  for (const text of [
    '',
    'x',
    '[]',
    'null',
    '{}',
    '{"type":5}',
    `{"type":"accepted","jobId":"${jobId}"}`,
    '{"type":"status","freeSlots":1.5,"accepting":true}',
  ]) {
    expect(decodeUp(text).kind).toBe('malformed')
  }
})

test('[H6] unknown fields of known messages are ignored', () => {
  const decoded = decodeUp(
    `{"type":"accepted","jobId":"${jobId}","promptTokens":1,"cachedTokens":0,"mood":"good"}`,
  )
  expect(decoded.kind).toBe('message')
})

test('[H6] a message over the limit is not parsed', () => {
  expect(decodeUp('x'.repeat(MAX_MESSAGE_BYTES + 1))).toEqual({ kind: 'too-large' })
})
