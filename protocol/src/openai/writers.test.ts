import { expect, test } from 'vitest'
import { AnswerCollector, type AnswerDelta, type StreamEvent } from '../answer.ts'
import { chatChunkShape, chatCompletionShape, completionShape } from '../testing/openai-shapes.ts'
import { chatCompletion } from './chat-answer.ts'
import { ChatWriter } from './chat-writer.ts'
import { textCompletion } from './completion-answer.ts'
import { CompletionWriter } from './completion-writer.ts'

const hex = '0123456789abcdef'.repeat(2)
const chatIdentity = { id: `chatcmpl-${hex}`, created: 1, model: 'm' }
const textIdentity = { id: `cmpl-${hex}`, created: 1, model: 'm' }
const usage = { promptTokens: 10, cachedTokens: 4, generatedTokens: 5 }
const end = { type: 'finish', reason: 'stop', usage } as const
const likely = (token: string) => ({ token, logprob: -0.5, top: [{ token: '\uFFFD', logprob: -1.5 }] })

const deltas: AnswerDelta[] = [
  { type: 'delta', parts: [{ type: 'reasoning', text: 'hm' }], logprobs: [likely('hm')] },
  {
    type: 'delta',
    parts: [
      { type: 'reasoning', text: '!' },
      { type: 'text', text: 'añ' },
    ],
    logprobs: [likely('!'), likely('a'), likely('ñ')],
  },
  { type: 'delta', parts: [], logprobs: [likely('')] },
  { type: 'delta', parts: [{ type: 'tool-call', index: 0, name: 'f', arguments: '' }] },
  { type: 'delta', parts: [{ type: 'tool-call', index: 0, arguments: '{}' }], logprobs: [likely('{}')] },
]

function whole(all: readonly AnswerDelta[]) {
  const collector = new AnswerCollector()
  for (const delta of all) collector.add(delta)
  return collector.whole(end)
}

function data(events: readonly StreamEvent[]): unknown[] {
  return events.map((event) => event.data)
}

test('chunks of a chat, joined, are the whole answer, probabilities and ids of calls included', () => {
  const writer = new ChatWriter(chatIdentity, { includeUsage: true })
  const told = data([
    ...writer.start(),
    ...deltas.flatMap((delta) => writer.delta(0, delta)),
    ...writer.finish(0, end),
    ...writer.end(),
  ])
  expect(told.pop()).toBe('[DONE]')
  const chunks = told.map((chunk) => chatChunkShape.parse(chunk))
  const choices = chunks.flatMap((chunk) => chunk.choices)
  const answer = chatCompletionShape.parse(chatCompletion(chatIdentity, [whole(deltas)]))
  const [choice] = answer.choices
  expect(choices.map(({ delta }) => delta.content ?? '').join('')).toBe(choice?.message.content)
  expect(choices.map(({ delta }) => delta.reasoning_content ?? '').join('')).toBe(
    choice?.message.reasoning_content,
  )
  expect(choices.flatMap(({ logprobs }) => logprobs?.content ?? [])).toEqual(choice?.logprobs?.content)
  const pieces = choices.flatMap(({ delta }) => delta.tool_calls ?? [])
  expect(pieces.map(({ function: { arguments: text } }) => text).join('')).toBe('{}')
  expect(pieces[0]).toMatchObject({ id: choice?.message.tool_calls?.[0]?.id, function: { name: 'f' } })
  expect(chunks.at(-1)?.usage).toEqual(answer.usage)
})

test('a token has the bytes of its text; where it is a part of a character they are not known', () => {
  const { choices } = chatCompletion(chatIdentity, [whole(deltas)])
  expect(choices[0]?.logprobs?.content[3]).toMatchObject({
    token: 'ñ',
    bytes: [0xc3, 0xb1],
    top_logprobs: [{ bytes: null }],
  })
})

test('several answers are told apart, have calls of ids of their own, and one sum', () => {
  const answer = chatCompletionShape.parse(chatCompletion(chatIdentity, [whole(deltas), whole(deltas)]))
  const ids = answer.choices.flatMap(({ message }) => message.tool_calls?.map(({ id }) => id) ?? [])
  expect(answer.choices.map(({ index }) => index)).toEqual([0, 1])
  expect(new Set(ids).size).toBe(2)
  expect(answer.usage).toEqual({
    prompt_tokens: 20,
    completion_tokens: 10,
    total_tokens: 30,
    prompt_tokens_details: { cached_tokens: 8 },
  })
})

test('events of a completion, joined, are the whole one', () => {
  const text: AnswerDelta[] = ['añ', 'b'].map((part) => ({
    type: 'delta',
    parts: [{ type: 'text', text: part }],
    logprobs: part.split('').map(likely),
  }))
  const writer = new CompletionWriter(textIdentity, { echoed: [''], includeUsage: true })
  const told = data([
    ...writer.start(),
    ...text.flatMap((delta) => writer.delta(0, delta)),
    ...writer.finish(0, { ...end, reason: 'length' }),
    ...writer.end(),
  ])
  expect(told.pop()).toBe('[DONE]')
  const events = told.map((event) => completionShape.parse(event))
  const choices = events.flatMap((event) => event.choices)
  const answer = completionShape.parse(textCompletion(textIdentity, [whole(text)], ['']))
  expect(choices.map((choice) => choice.text).join('')).toBe(answer.choices[0]?.text)
  for (const field of ['tokens', 'text_offset', 'token_logprobs', 'top_logprobs'] as const)
    expect(choices.flatMap(({ logprobs }) => logprobs?.[field] ?? [])).toEqual(
      answer.choices[0]?.logprobs?.[field],
    )
  expect(answer.choices[0]?.logprobs?.text_offset).toEqual([0, 1, 2])
  expect(choices.map((choice) => choice.finish_reason)).toEqual([null, null, 'length'])
  expect(events.at(-1)?.usage).toEqual(answer.usage)
})

test('an echo comes before the answer, for each choice', () => {
  const writer = new CompletionWriter(textIdentity, { echoed: ['one', '', 'two'], includeUsage: false })
  const told = data(writer.start()).map((event) => completionShape.parse(event).choices)
  expect(told).toMatchObject([[{ index: 0, text: 'one' }], [{ index: 2, text: 'two' }]])
})

test('[A6] both tell what went wrong in OpenAI’s words', () => {
  const failure = { code: 'host_lost', status: 502, message: 'Lost. Send it again.' }
  const error = { message: failure.message, type: 'server_error', code: 'host_lost', param: null }
  for (const writer of [
    new ChatWriter(chatIdentity, { includeUsage: false }),
    new CompletionWriter(textIdentity, { echoed: [''], includeUsage: false }),
  ])
    expect(writer.fail(failure)).toEqual([{ data: { error } }])
})
