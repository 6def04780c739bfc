import {
  type AnswerDelta,
  type AnswerWriter,
  ChatWriter,
  CompletionWriter,
  MessageWriter,
  ResponseWriter,
  responsesRequest,
  type StreamEvent,
} from '@daisi/protocol'
import { sseEvent } from '../orc-worker/src/http/sse.ts'
import type { BenchOptions } from './support/network.ts'
import { fixed, printNote, printTable, progress } from './support/report.ts'
import { median } from './support/stats.ts'

/** Deltas of one answer. Each has a writer of its own. */
const ANSWER_CHUNKS = 1_000

/** How chunks become bytes: the events of one delta, and how an answer begins. */
interface Mapper {
  readonly name: string
  readonly writer: () => AnswerWriter
}

const identity = { id: 'chatcmpl-0123456789abcdef', created: 1_700_000_000, model: 'daisi-nano' }
const chat: Mapper = {
  name: 'chat completions',
  writer: () => new ChatWriter(identity, { includeUsage: true }),
}
const completions: Mapper = {
  name: 'completions',
  writer: () => new CompletionWriter(identity, { echoed: [''], includeUsage: true }),
}
const request = responsesRequest.parse({ model: identity.model, input: 'hi', stream: true, store: false })
const responses: Mapper = {
  name: 'responses',
  writer: () =>
    new ResponseWriter(
      { id: 'resp_0123456789abcdef', created: identity.created, request },
      () => identity.created,
    ),
}
const messages: Mapper = {
  name: 'messages',
  writer: () =>
    new MessageWriter({
      id: 'msg_0123456789abcdef',
      model: identity.model,
      requestId: 'req_0123456789abcdef',
    }),
}

const text = delta({ type: 'text', text: ' word word word word' })
const thought = delta({ type: 'reasoning', text: ' word word word word' })
const firstOfCall = delta({ type: 'tool-call', index: 0, name: 'look', arguments: '{"words":"' })
const ofCall = delta({ type: 'tool-call', index: 0, arguments: ' word word word word' })

const kinds = [
  { name: 'text', first: text, next: text, mappers: [chat, completions, responses, messages] },
  { name: 'thoughts', first: thought, next: thought, mappers: [chat, responses, messages] },
  { name: 'a tool call', first: firstOfCall, next: ofCall, mappers: [chat, responses, messages] },
] as const

const encoder = new TextEncoder()
/** Keeps what is measured from being left out. */
let bytes = 0

/** What each API's words cost per chunk, beside the least that a chunk can cost: writing one object as JSON. */
export async function benchMappers({ quick }: BenchOptions): Promise<void> {
  const rounds = quick ? 5 : 41
  const answers = quick ? 5 : 20
  progress('mappers')
  const rows: string[][] = []
  for (const { name: kind, first, next, mappers } of kinds) {
    const times = mappers.map((): number[] => [])
    const plain: number[] = []
    for (let round = 0; round < rounds; round++) {
      plain.push(perChunk(answers, plainAnswer))
      for (const [index, mapper] of mappers.entries())
        times[index]?.push(perChunk(answers, () => mappedAnswer(mapper, first, next)))
      // Lets the collector's work of this round be part of it.
      await new Promise((resolve) => {
        setImmediate(resolve)
      })
    }
    const row = (name: string, values: readonly number[]): string[] => {
      const ratios = values.map((value, index) => value / (plain[index] ?? Number.NaN))
      return [kind, name, fixed(median(values), 0), fixed(median(ratios))]
    }
    rows.push(row('one object by `JSON.stringify`', plain))
    for (const [index, { name }] of mappers.entries()) rows.push(row(name, times[index] ?? []))
  }
  printTable('mappers: one chunk of an answer', ['chunk', 'as', 'CPU, ns', 'times the plain object'], rows)
  printNote(
    `Median of ${rounds} rounds, in turns; ratios are medians of those within a round. Each chunk becomes the bytes of its events. The plain object is a chat chunk without any ` +
      `mapping. Answers of ${ANSWER_CHUNKS.toLocaleString('en-US')} chunks of 20 characters, their beginning and end included. In Node; workerd has the same V8.`,
  )
  if (bytes === 0) throw new Error('nothing was written')
}

/** Nanoseconds of CPU, so that what else the machine does counts little. */
function perChunk(answers: number, answer: () => void): number {
  const before = process.cpuUsage()
  for (let index = 0; index < answers; index++) answer()
  const { user, system } = process.cpuUsage(before)
  return ((user + system) * 1_000) / (answers * ANSWER_CHUNKS)
}

function plainAnswer(): void {
  for (let index = 0; index < ANSWER_CHUNKS; index++) {
    const choice = {
      index: 0,
      delta: { content: ' word word word word' },
      logprobs: null,
      finish_reason: null,
    }
    write([{ data: { ...identity, object: 'chat.completion.chunk', choices: [choice] } }])
  }
}

function mappedAnswer({ writer: make }: Mapper, first: AnswerDelta, next: AnswerDelta): void {
  const writer = make()
  write(writer.start({ promptTokens: 16, cachedTokens: 0 }))
  write(writer.delta(0, first))
  for (let index = 1; index < ANSWER_CHUNKS; index++) write(writer.delta(0, next))
  const usage = { promptTokens: 16, cachedTokens: 0, generatedTokens: ANSWER_CHUNKS * 4 }
  write(writer.finish(0, { type: 'finish', reason: 'length', usage }))
  write(writer.end())
}

function write(events: readonly StreamEvent[]): void {
  for (const event of events) bytes += encoder.encode(sseEvent(event)).length
}

function delta(part: AnswerDelta['parts'][number]): AnswerDelta {
  return { type: 'delta', parts: [part] }
}
