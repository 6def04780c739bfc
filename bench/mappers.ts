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
/** Those of a long one: a writer that looks at what it told before shows here. */
const LONG_CHUNKS = 16_000

/** How chunks become bytes: the events of one delta, and how an answer begins. */
interface Mapper {
  readonly name: string
  readonly writer: () => AnswerWriter
}

/** Nanoseconds per chunk, one for each round. */
interface Times {
  readonly usual: number[]
  readonly long: number[]
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
const top = [
  { token: ' word', logprob: -0.125 },
  { token: ' words', logprob: -2.5 },
]
const likely: AnswerDelta = {
  ...text,
  logprobs: Array.from({ length: 4 }, () => ({ token: ' word', logprob: -0.125, top })),
}
const thought = delta({ type: 'reasoning', text: ' word word word word' })
const firstOfCall = delta({ type: 'tool-call', index: 0, name: 'look', arguments: '{"words":"' })
const ofCall = delta({ type: 'tool-call', index: 0, arguments: ' word word word word' })

const kinds = [
  { name: 'text', first: text, next: text, mappers: [chat, completions, responses, messages] },
  { name: 'text, probabilities', first: likely, next: likely, mappers: [chat, completions, responses] },
  { name: 'thoughts', first: thought, next: thought, mappers: [chat, responses, messages] },
  { name: 'a tool call', first: firstOfCall, next: ofCall, mappers: [chat, responses, messages] },
] as const

const encoder = new TextEncoder()
/** Keeps what is measured from being left out. */
let bytes = 0

/** What each API's words cost per chunk, beside the least that a chunk can cost: writing one object as JSON. */
export async function benchMappers({ quick }: BenchOptions): Promise<void> {
  const rounds = quick ? 3 : 11
  const answers = quick ? 4 : 16
  progress('mappers')
  const rows: string[][] = []
  for (const { name: kind, first, next, mappers } of kinds) {
    const plain: Times = { usual: [], long: [] }
    const contenders = [
      { name: 'one object by `JSON.stringify`', times: plain, answer: plainAnswer },
      ...mappers.map((mapper) => ({
        name: mapper.name,
        times: { usual: [], long: [] } as Times,
        answer: (chunks: number) => mappedAnswer(mapper, chunks, first, next),
      })),
    ]
    for (let round = 0; round < rounds; round++) {
      for (const { times, answer } of contenders) {
        times.usual.push(perChunk(answers, ANSWER_CHUNKS, answer))
        times.long.push(perChunk(1, LONG_CHUNKS, answer))
      }
      // Lets the collector's work of this round be part of it.
      await new Promise((resolve) => {
        setImmediate(resolve)
      })
    }
    for (const { name, times } of contenders)
      rows.push([
        kind,
        name,
        fixed(median(times.usual), 0),
        fixed(medianRatio(times.usual, plain.usual)),
        fixed(medianRatio(times.long, times.usual)),
      ])
  }
  printTable(
    'mappers: one chunk of an answer',
    ['chunk', 'as', 'CPU, ns', 'times the plain object', 'in a long answer, times that'],
    rows,
  )
  printNote(
    `Median of ${rounds} rounds, in turns; ratios are medians of those within a round. Each chunk becomes the bytes of its events. The plain object is a chat chunk without any ` +
      `mapping. Answers of ${ANSWER_CHUNKS.toLocaleString('en-US')} chunks of 20 characters, their beginning and end included; long ones have ` +
      `${LONG_CHUNKS.toLocaleString('en-US')}. Probabilities: of four tokens, with two candidates each. In Node; workerd has the same V8.`,
  )
  if (bytes === 0) throw new Error('nothing was written')
}

/** Nanoseconds of CPU, so that what else the machine does counts little. */
function perChunk(answers: number, chunks: number, answer: (chunks: number) => void): number {
  const before = process.cpuUsage()
  for (let index = 0; index < answers; index++) answer(chunks)
  const { user, system } = process.cpuUsage(before)
  return ((user + system) * 1_000) / (answers * chunks)
}

/** Of what was measured in the same round. */
function medianRatio(values: readonly number[], others: readonly number[]): number {
  return median(values.map((value, index) => value / (others[index] ?? Number.NaN)))
}

function plainAnswer(chunks: number): void {
  for (let index = 0; index < chunks; index++) {
    const choice = {
      index: 0,
      delta: { content: ' word word word word' },
      logprobs: null,
      finish_reason: null,
    }
    write([{ data: { ...identity, object: 'chat.completion.chunk', choices: [choice] } }])
  }
}

function mappedAnswer({ writer: make }: Mapper, chunks: number, first: AnswerDelta, next: AnswerDelta): void {
  const writer = make()
  write(writer.start({ promptTokens: 16, cachedTokens: 0 }))
  write(writer.delta(0, first))
  for (let index = 1; index < chunks; index++) write(writer.delta(0, next))
  const usage = { promptTokens: 16, cachedTokens: 0, generatedTokens: chunks * 4 }
  write(writer.finish(0, { type: 'finish', reason: 'length', usage }))
  write(writer.end())
}

function write(events: readonly StreamEvent[]): void {
  for (const event of events) bytes += encoder.encode(sseEvent(event)).length
}

function delta(part: AnswerDelta['parts'][number]): AnswerDelta {
  return { type: 'delta', parts: [part] }
}
