import { expect, test } from 'vitest'
import type { CompletionRequest } from '../consumer/completions.ts'
import { completionRequest } from '../consumer/completions.schema.ts'
import { completionPayload } from '../host/job-payloads.ts'
import {
  askedCompletions,
  completionFault,
  completionNeeds,
  completionTokens,
  toCompletionPayload,
} from './completion-mapping.ts'

function asked(body: Record<string, unknown>): CompletionRequest {
  return completionRequest.parse({ model: 'm', prompt: 'a', ...body })
}

test('[A11] all answers to the first prompt come before those to the second, each with a seed of its own', () => {
  const request = asked({ prompt: ['a', 'b'], n: 2, seed: 7, max_tokens: 3 })
  const payloads = askedCompletions(request).map((one) => toCompletionPayload(request, one, 3))
  expect(payloads).toEqual(
    [
      ['a', 7],
      ['a', 8],
      ['b', 7],
      ['b', 8],
    ].map(([prompt, seed]) => ({ prompt, sampling: { maxTokens: 3, stop: [], seed } })),
  )
  for (const payload of payloads) expect(completionPayload.parse(payload)).toEqual(payload)
})

test('16 tokens where the caller names none', () => {
  expect([completionTokens(asked({})), completionTokens(asked({ max_tokens: 5 }))]).toEqual([16, 5])
})

test.for<[Record<string, unknown>, string[]]>([
  [{}, []],
  [{ suffix: null, logprobs: null, best_of: 1, echo: true }, []],
  [{ suffix: '' }, ['infill']],
  [{ logprobs: 0 }, ['logprobs']],
  [{ suffix: 'c', seed: 1 }, ['seed', 'infill']],
])('[A9] %j takes a Host with %j', ([body, capabilities]) => {
  expect(completionFault(asked(body))).toBeUndefined()
  expect(completionNeeds(asked(body)).map(({ capability }) => capability)).toEqual(capabilities)
})

test.for<[string, Record<string, unknown>]>([
  ['no prompt', { prompt: [] }],
  ['seventeen of them', { prompt: Array.from({ length: 17 }, () => 'a') }],
  ['a prompt of nothing', { prompt: [[]] }],
  ['ids that are none', { prompt: [-1] }],
  ['texts beside ids', { prompt: ['a', [1]] }],
  ['six probabilities', { logprobs: 6 }],
])('%s cannot be asked for', ([, body]) => {
  expect(completionRequest.safeParse({ model: 'm', ...body }).success).toBe(false)
})
