import type { StreamEvent } from '@daisi/protocol'
import { createParser } from 'eventsource-parser'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { sseEvent, sseResponse } from './sse.ts'

const RUNS = { seed: 20_261, numRuns: 200 }

/** Any string of JavaScript, and above all those that end lines, separate events or are half a character. */
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.array(fc.nat({ max: 0xffff })).map((units) => String.fromCharCode(...units)),
  fc
    .array(
      fc.constantFrom(
        '\n',
        '\r',
        '\r\n',
        '\n\n',
        '\u2028',
        '\u0085',
        '\ufeff',
        'data: ',
        ': ',
        '🦙',
        '\ud83e',
        '[DONE]',
      ),
    )
    .map((pieces) => pieces.join('')),
)
const event: fc.Arbitrary<StreamEvent> = fc.record(
  { event: fc.constantFrom('message_start', 'response.created'), data: fc.dictionary(text, text) },
  { requiredKeys: ['data'] },
)

/** What a reader that keeps to the specification makes of these bytes, when they come in pieces that end at `cuts`. */
function parsed(bytes: Uint8Array, cuts: readonly number[]): { event: string | undefined; data: string }[] {
  const events: { event: string | undefined; data: string }[] = []
  const parser = createParser({ onEvent: ({ event: name, data }) => events.push({ event: name, data }) })
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  let start = 0
  for (const end of [...cuts.toSorted((a, b) => a - b), bytes.length]) {
    parser.feed(decoder.decode(bytes.subarray(start, end), { stream: true }))
    start = end
  }
  return events
}

async function* each(values: readonly string[]): AsyncGenerator<string, void> {
  yield* values
}

test('[A5] whatever an answer says comes out of the stream as it went in, wherever the network cuts it', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(event),
      fc.array(fc.double({ min: 0, max: 1, noNaN: true })),
      async (sent, places) => {
        const written = [...sent, { data: '[DONE]' }].map(sseEvent)
        const response = sseResponse(
          each(written.flatMap((one) => [one, ': keepalive\n\n'])),
          () => undefined,
        )
        const bytes = await response.bytes()
        const told = parsed(
          bytes,
          places.map((place) => Math.floor(place * bytes.length)),
        )
        expect(told.pop()).toEqual({ event: undefined, data: '[DONE]' })
        expect(
          told.map(({ event: name, data }) => ({ event: name, data: JSON.parse(data) as unknown })),
        ).toEqual(sent.map(({ event: name, data }) => ({ event: name, data })))
      },
    ),
    RUNS,
  )
})
