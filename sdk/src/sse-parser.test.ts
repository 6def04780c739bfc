import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SseParser } from './sse-parser.ts'

const encoder = new TextEncoder()

/** All events of these pieces, and those that only the end finished. */
function parse(pieces: readonly Uint8Array[]): string[] {
  const parser = new SseParser()
  return [...pieces.flatMap((piece) => parser.push(piece)), ...parser.end()].map(({ data }) => data)
}

const parseText = (text: string): string[] => parse([encoder.encode(text)])

/** Bytes cut at these places, in any order; the same place twice is an empty piece. */
function split(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b)
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end))
}

const cuts = fc.array(fc.nat(10_000), { maxLength: 20 })
const SEED = { seed: 20_261_122 }

describe('SSE', () => {
  test.each([
    ['one event', 'data: a\n\n', ['a']],
    ['without the space', 'data:a\n\n', ['a']],
    ['only one space is removed', 'data:  a\n\n', [' a']],
    ['several', 'data: a\n\ndata: b\n\n', ['a', 'b']],
    ['CRLF', 'data: a\r\n\r\ndata: b\r\n\r\n', ['a', 'b']],
    ['CR', 'data: a\r\rdata: b\r\r', ['a', 'b']],
    ['several lines', 'data: a\ndata:\ndata: b\n\n', ['a\n\nb']],
    ['comments', ': keepalive\n\n:\ndata: a\n: in between\ndata: b\n\n', ['a\nb']],
    ['other fields', 'event: x\nid: 1\nretry: 5\ndatabase: no\ndata: a\n\n', ['a']],
    ['a field without a value', 'data\n\n', ['']],
    ['colons in the value', 'data: a: b:c\n\n', ['a: b:c']],
    ['line separators that are none', 'data: a\u2028b\u0085c\n\n', ['a\u2028b\u0085c']],
    ['a byte order mark', '\ufeffdata: a\n\n', ['a']],
    ['empty lines', '\n\n\ndata: a\n\n\n\n', ['a']],
    ['no empty line at the end', 'data: a\n\ndata: b\n', ['a', 'b']],
    ['no line end at the end', 'data: a\n\ndata: b', ['a', 'b']],
    ['CR at the end', 'data: a\r', ['a']],
    ['nothing', '', []],
  ])('%s', (_, text, events) => {
    expect(parseText(text)).toEqual(events)
  })

  test('an event comes out with the byte that finishes it', () => {
    const parser = new SseParser()
    expect(parser.push(encoder.encode('data: a\r\n'))).toEqual([])
    expect(parser.push(encoder.encode('\r'))).toEqual([{ data: 'a', id: '' }])
    expect(parser.push(encoder.encode('\ndata: b'))).toEqual([])
    expect(parser.push(encoder.encode('\n\n'))).toEqual([{ data: 'b', id: '' }])
    expect(parser.end()).toEqual([])
  })

  test('an event has its own id, or that of the last one that had one', () => {
    const parser = new SseParser()
    const events = [
      ...parser.push(encoder.encode('data: a\n\nid: 3\ndata: b\n\ndata: c\n\nid: 1')),
      ...parser.push(encoder.encode('2\ndata: d\n\nid\ndata: e\n\n')),
    ]
    expect(events.map(({ data, id }) => [data, id])).toEqual([
      ['a', ''],
      ['b', '3'],
      ['c', '3'],
      ['d', '12'],
      ['e', ''],
    ])
  })

  describe('what is longer than 1 MiB is thrown', () => {
    const piece = encoder.encode('x'.repeat(65_536))
    const feed = (bytes: Uint8Array, count: number, begin = ''): (() => void) => {
      const parser = new SseParser()
      parser.push(encoder.encode(begin))
      return () => {
        for (let sent = 0; sent < count; sent += 1) parser.push(bytes)
      }
    }

    test('a line without an end, a comment too', () => {
      expect(feed(piece, 16)).not.toThrow()
      expect(feed(piece, 17)).toThrow(RangeError)
      expect(feed(piece, 17, ':')).toThrow(RangeError)
    })

    test('an event without an end, of empty lines too', () => {
      const line = encoder.encode(`data: ${'x'.repeat(65_535)}\n`)
      expect(feed(line, 16)).not.toThrow()
      expect(feed(line, 17)).toThrow(RangeError)
      expect(feed(encoder.encode('data\n'), 1_048_577)).toThrow(RangeError)
    })

    test('at once', () => {
      expect(() => parseText(`data: ${'x'.repeat(1_048_576)}\n\n`)).toThrow(RangeError)
    })

    test('not comments and events that end, however many', () => {
      expect(feed(encoder.encode(`: ${'x'.repeat(65_535)}\n`), 40)).not.toThrow()
      expect(feed(encoder.encode(`data: ${'x'.repeat(65_535)}\n\n`), 40)).not.toThrow()
    })
  })

  test('however the bytes are cut, the events are the same', () => {
    const word = fc.oneof(
      fc.constantFrom('data: ', 'data', 'id: ', ':', ': ', '\n', '\r', '\r\n', '\n\n', '\r\n\r\n', '\ufeff'),
      fc.string({ unit: 'binary', maxLength: 4 }),
    )
    fc.assert(
      fc.property(fc.boolean(), fc.array(word, { maxLength: 40 }), cuts, (hasMark, words, places) => {
        const bytes = encoder.encode((hasMark ? '\ufeff' : '') + words.join(''))
        const whole = parse([bytes])
        expect(parse(split(bytes, places))).toEqual(whole)
        expect(parse(Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual(whole)
      }),
      { ...SEED, numRuns: 1_000 },
    )
  })

  test('whatever is sent as data arrives, in every kind of line, behind a byte order mark or none', () => {
    const line = fc.string({ unit: 'binary', maxLength: 8 }).map((text) => text.replaceAll(/[\r\n]/g, ' '))
    const event = fc.array(line, { minLength: 1, maxLength: 3 })
    const ends = fc.constantFrom('\n', '\r\n', '\r')
    fc.assert(
      fc.property(
        fc.boolean(),
        fc.array(event, { maxLength: 5 }),
        ends,
        cuts,
        (hasMark, events, end, places) => {
          const told = events
            .map((lines) => [...lines.map((text) => `data: ${text}`), '', ''].join(end))
            .join('')
          const bytes = encoder.encode((hasMark ? '\ufeff' : '') + told)
          expect(parse(split(bytes, places))).toEqual(events.map((lines) => lines.join('\n')))
        },
      ),
      { ...SEED, numRuns: 1_000 },
    )
  })
})
