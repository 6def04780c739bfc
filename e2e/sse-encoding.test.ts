import { createParser } from 'eventsource-parser'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { sseEvent } from '../orc-worker/src/http/sse.ts'
import { SseParser } from '../sdk/src/sse-parser.ts'

const RUNS = { seed: 20_261_201, numRuns: 300 }

/** Any string of JavaScript, above all those that end lines or events. */
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc
    .array(
      fc.constantFrom(
        '\n',
        '\r',
        '\r\n',
        '\n\n',
        '\u2028',
        '\u0085',
        'data: ',
        ': ',
        '[DONE]',
        '🌼',
        '\uD800',
        'é',
        '\0',
      ),
    )
    .map((all) => all.join('')),
)
const events = fc.array(
  fc.record(
    {
      data: fc.oneof(text, fc.record({ text, more: fc.array(text) }), fc.jsonValue()),
      event: fc.stringMatching(/^[a-z_.]{1,20}$/),
    },
    { requiredKeys: ['data'] },
  ),
  { maxLength: 8 },
)

/** What JSON can carry of it: no lone halves of surrogate pairs, no -0. */
function carried(value: unknown): unknown {
  return JSON.parse(new TextDecoder().decode(new TextEncoder().encode(JSON.stringify(value))))
}

function cut(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [...cuts.map((at) => at % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b)
  let from = 0
  return places.map((place) => bytes.subarray(from, (from = place)))
}

test('[A5] events survive the encoder and any parser, wherever the network cuts them', () => {
  fc.assert(
    fc.property(events, fc.array(fc.nat(), { maxLength: 30 }), fc.boolean(), (sent, cuts, withComments) => {
      const stream = sent.map((event) => (withComments ? ': keepalive\n\n' : '') + sseEvent(event)).join('')
      const expected = sent.map(({ data, event }) => [event, data === '[DONE]' ? data : carried(data)])
      const chunks = cut(new TextEncoder().encode(stream), cuts)

      const decoder = new TextDecoder()
      const parsed: unknown[] = []
      const parser = createParser({
        onEvent: ({ event, data }) => parsed.push([event, data === '[DONE]' ? data : JSON.parse(data)]),
      })
      for (const chunk of chunks) parser.feed(decoder.decode(chunk, { stream: true }))
      expect(parsed).toEqual(expected)

      const ours = new SseParser()
      const seen = chunks.flatMap((chunk) => [...ours.push(chunk)])
      expect(seen.map(({ data }) => (data === '[DONE]' ? data : JSON.parse(data)))).toEqual(
        expected.map(([, data]) => data),
      )
    }),
    RUNS,
  )
})
