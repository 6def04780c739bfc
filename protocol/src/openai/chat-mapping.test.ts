import { expect, test } from 'vitest'
import type { ChatRequest } from '../consumer/chat.ts'
import { chatRequest } from '../consumer/chat.schema.ts'
import { chatPayload } from '../host/chat-payload.ts'
import { chatNeeds, toChatPayload } from './chat-mapping.ts'

const plain = { model: 'm', messages: [{ role: 'user', content: 'Hi' }] }

function asked(extra: Record<string, unknown>): ChatRequest {
  return chatRequest.parse({ ...plain, ...extra })
}

test.for<[Record<string, unknown>, Record<string, unknown>]>([
  [{}, {}],
  [{ temperature: null, top_k: null, logit_bias: null }, {}],
  [
    { temperature: 0.7, top_p: 0.9 },
    { temperature: 0.7, topP: 0.9 },
  ],
  [
    { temperature: 1.5, top_p: 0 },
    { temperature: 0, topP: 1 },
  ],
  [{ top_k: -1 }, { topK: 0 }],
  [
    { top_k: 40, min_p: 0.05, seed: 7 },
    { topK: 40, minP: 0.05, seed: 7 },
  ],
  [
    { frequency_penalty: -2, presence_penalty: 0 },
    { frequencyPenalty: -2, presencePenalty: 0 },
  ],
  [{ repetition_penalty: 1.1 }, { repeatPenalty: 1.1 }],
  [{ repeat_penalty: 1.2, repetition_penalty: 1.1 }, { repeatPenalty: 1.2 }],
  [{ logit_bias: { 7: -100 } }, { logitBias: { 7: -100 } }],
  [{ stop: 'x' }, { stop: ['x'] }],
])('[A9] %j reaches the Host as %j, and what is left out stays out', ([request, sampling]) => {
  const payload = toChatPayload(asked(request), 20)
  expect(payload.sampling).toEqual({ maxTokens: 20, stop: [], ...sampling })
  expect(chatPayload.parse(payload)).toEqual(payload)
})

test.for<[Record<string, unknown>, string[]]>([
  [{ temperature: 0, top_p: 0.5, stop: 'x', frequency_penalty: 0, presence_penalty: 0, logit_bias: {} }, []],
  [{ seed: 0 }, ['seed']],
  [{ frequency_penalty: 0.5 }, ['penalties']],
  [{ presence_penalty: -1 }, ['penalties']],
  [{ logit_bias: { 1: 1 } }, ['logit-bias']],
  [{ top_k: 0 }, ['top-k']],
  [{ min_p: 0 }, ['min-p']],
  [{ repeat_penalty: 1 }, ['repeat-penalty']],
  [{ repetition_penalty: 1.1 }, ['repeat-penalty']],
])('[A9] %j takes a Host with %j', ([request, capabilities]) => {
  expect(chatNeeds(asked(request)).map(({ capability }) => capability)).toEqual(capabilities)
})

test.for([
  { frequency_penalty: 2.1 },
  { presence_penalty: 'much' },
  { logit_bias: { word: 1 } },
  { logit_bias: { 1: 101 } },
  { logit_bias: [] },
  { logit_bias: Object.fromEntries(Array.from({ length: 1_025 }, (_, id) => [id, 1])) },
  { top_k: -2 },
  { top_k: 1.5 },
  { min_p: 1.1 },
  { repeat_penalty: 0 },
  { repetition_penalty: -1 },
])('a parameter out of its range is refused: %j', (extra) => {
  expect(chatRequest.safeParse({ ...plain, ...extra }).success).toBe(false)
})
