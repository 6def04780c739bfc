import type { OutputPart, Run } from '@daisi/protocol'
import { CloseCode, encodeFrame, textFrame } from '@daisi/protocol'
import { chatChunkShape, chatCompletionShape } from '@daisi/protocol/testing/openai-shapes'
import { expect, test } from 'vitest'
import { call, settle } from './support/orc.ts'
import { chat, events, newScene, type Scene } from './support/scene.ts'

const able = { offer: { capabilities: ['tools', 'json-schema', 'logprobs', 'reasoning-effort'] } }
const parameters = { type: 'object', properties: { city: { type: 'string' } } }
const tools = [{ type: 'function', function: { name: 'get_weather', description: 'Weather', parameters } }]

/** Answers the next Job with these parts, one frame of five tokens each. */
async function serveParts({ host }: Scene, frames: readonly OutputPart[][]): Promise<Run> {
  const run = await host.receive('run')
  host.accept(run)
  for (const [sequence, parts] of frames.entries()) host.sendParts(run.jobId, sequence, parts, 5)
  const isCall = frames.flat().some(({ type }) => type === 'tool-call')
  const usage = { promptTokens: 10, cachedTokens: 0, generatedTokens: frames.length * 5 }
  await host.end(run, usage, { finishReason: isCall ? 'tool-calls' : 'stop' })
  return run
}

const twoCalls: OutputPart[][] = [
  [{ type: 'reasoning', text: 'Two cities.' }],
  [{ type: 'text', text: 'I look.' }],
  [{ type: 'tool-call', index: 0, name: 'get_weather', arguments: '{"city":' }],
  [
    { type: 'tool-call', index: 0, arguments: '"Paris"}' },
    { type: 'tool-call', index: 1, name: 'get_weather', arguments: '{}' },
  ],
]

test('[F10] calls, text and thoughts of a whole answer', async () => {
  const scene = await newScene(able)
  const answer = chat(scene, { tools, max_tokens: 40 })
  const run = await serveParts(scene, twoCalls)
  expect(run.payload).toMatchObject({ tools: [{ name: 'get_weather', description: 'Weather', parameters }] })
  const completion = chatCompletionShape.parse(await (await answer).json())
  expect(completion.choices[0]).toMatchObject({
    finish_reason: 'tool_calls',
    message: {
      content: 'I look.',
      reasoning_content: 'Two cities.',
      tool_calls: [
        { function: { name: 'get_weather', arguments: '{"city":"Paris"}' } },
        { function: { name: 'get_weather', arguments: '{}' } },
      ],
    },
  })
  const ids = completion.choices[0]?.message.tool_calls?.map(({ id }) => id)
  expect(new Set(ids).size).toBe(2)
})

test('the same streamed: index on each piece, id and name on the first', async () => {
  const scene = await newScene(able)
  const answer = chat(scene, { tools, max_tokens: 40, stream: true })
  await serveParts(scene, twoCalls)
  const told = await events(await answer)
  expect(told.pop()).toBe('[DONE]')
  const chunks = told.map((chunk) => chatChunkShape.parse(chunk))
  const deltas = chunks.map(({ choices }) => choices[0]?.delta)
  expect(deltas).toMatchObject([
    { role: 'assistant', content: '' },
    { reasoning_content: 'Two cities.' },
    { content: 'I look.' },
    {
      tool_calls: [{ index: 0, type: 'function', function: { name: 'get_weather', arguments: '{"city":' } }],
    },
    { tool_calls: [{ index: 0, function: { arguments: '"Paris"}' } }] },
    { tool_calls: [{ index: 1, type: 'function', function: { name: 'get_weather', arguments: '{}' } }] },
    {},
  ])
  expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe('tool_calls')
})

test('an answer of calls alone has no content', async () => {
  const scene = await newScene(able)
  const answer = chat(scene, { tools })
  await serveParts(scene, [[{ type: 'tool-call', index: 0, name: 'get_weather', arguments: '{}' }]])
  const { choices } = chatCompletionShape.parse(await (await answer).json())
  expect(choices[0]?.message.content).toBeNull()
})

test.for<[string, Record<string, unknown>, Record<string, unknown>]>([
  ['a call that has to be made', { tools, tool_choice: 'required' }, { toolChoice: 'required' }],
  [
    'a tool that has to be called',
    {
      tools,
      tool_choice: { type: 'function', function: { name: 'get_weather' } },
      parallel_tool_calls: false,
    },
    { toolChoice: { name: 'get_weather' }, parallelToolCalls: false },
  ],
  ['no call', { tools, tool_choice: 'none' }, { tools: undefined, toolChoice: undefined }],
  ['any JSON', { response_format: { type: 'json_object' } }, { output: { type: 'json' } }],
  [
    'a schema',
    { response_format: { type: 'json_schema', json_schema: { name: 'x', schema: parameters } } },
    { output: { type: 'json-schema', schema: parameters } },
  ],
  ['how likely tokens are', { logprobs: true, top_logprobs: 2 }, { logprobs: 2 }],
  ['how much to think', { reasoning_effort: 'low' }, { reasoningEffort: 'low' }],
  [
    'what nobody needs to know',
    { user: 'u', metadata: { a: 'b' }, prompt_cache_key: 'k' },
    { user: undefined },
  ],
])('[A9] %s reaches the Host', async ([, asked, given]) => {
  const scene = await newScene(able)
  const answer = chat(scene, asked)
  const { payload } = await scene.host.serve(['x'])
  for (const [name, value] of Object.entries(given))
    expect((payload as Record<string, unknown>)[name]).toEqual(value)
  expect((await answer).status).toBe(200)
})

test.for<[Record<string, unknown>, string]>([
  [{ tools }, 'tools'],
  [{ response_format: { type: 'json_object' } }, 'response_format'],
  [{ logprobs: true }, 'logprobs'],
  [{ reasoning_effort: 'high' }, 'reasoning_effort'],
])('[A9] %j is refused by name where no Host can do it', async ([asked, param]) => {
  const response = await chat(await newScene(), asked)
  expect([response.status, (await response.json<{ error: object }>()).error]).toMatchObject([
    400,
    { code: 'unsupported_parameter', param },
  ])
})

test('results of calls are turns of the conversation', async () => {
  const scene = await newScene(able)
  const tool_calls = [{ id: 'c1', type: 'function', function: { name: 'f', arguments: '{}' } }]
  const messages = [
    { role: 'developer', content: 'Be brief.' },
    {
      role: 'user',
      content: [
        { type: 'text', text: 'a' },
        { type: 'text', text: 'b' },
      ],
    },
    { role: 'assistant', content: null, tool_calls },
    { role: 'tool', tool_call_id: 'c1', content: '1' },
  ]
  const answer = chat(scene, { messages })
  const { payload } = await scene.host.serve(['x'])
  expect(payload).toMatchObject({
    messages: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'ab' },
      { role: 'assistant', content: '', toolCalls: [{ id: 'c1', name: 'f', arguments: '{}' }] },
      { role: 'tool', content: '1', toolCallId: 'c1' },
    ],
  })
  await answer
})

test('[J11] what a Host refuses is told in its words, cleaned, with the parameter at fault', async () => {
  const scene = await newScene(able)
  const answer = chat(scene, { tools })
  const { jobId } = await scene.host.receive('run')
  const message = 'the parameters cannot be followed\u0000 at /a\n\u2028: no'
  scene.host.send({ type: 'refused', jobId, code: 'invalid_payload', message, field: 'tools' })
  const { error } = await (await answer).json<{ error: { message: string } }>()
  expect(error).toMatchObject({ code: 'invalid_request', param: 'tools' })
  expect(error.message).toContain('"the parameters cannot be followed  at /a : no"')
})

test.for<[string, OutputPart[]]>([
  ['a piece of a call that never began', [{ type: 'tool-call', index: 0, arguments: '{}' }]],
  ['a call out of order', [{ type: 'tool-call', index: 1, name: 'f', arguments: '' }]],
  [
    'a call that is named twice',
    [
      { type: 'tool-call', index: 0, name: 'f', arguments: '' },
      { type: 'tool-call', index: 0, name: 'f', arguments: '' },
    ],
  ],
])('[F10] %s closes with 4400', async ([, parts]) => {
  const scene = await newScene(able)
  const answer = chat(scene, { tools })
  const run = await scene.host.receive('run')
  scene.host.accept(run)
  scene.host.sendParts(run.jobId, 0, parts)
  expect((await scene.host.closed).code).toBe(CloseCode.BadMessage)
  expect((await answer).status).toBe(502)
})

test('probabilities that nobody asked for close with 4400', async () => {
  const scene = await newScene(able)
  const answer = chat(scene)
  const run = await scene.host.receive('run')
  scene.host.accept(run)
  const logprobs = [{ token: 'x', logprob: -1, top: [] }]
  scene.host.sendRaw(
    encodeFrame(textFrame({ jobId: run.jobId, sequence: 0, tokenIds: [1], text: 'x', logprobs })),
  )
  expect((await scene.host.closed).code).toBe(CloseCode.BadMessage)
  expect((await answer).status).toBe(502)
})

test('[F10] syntax is paid by an allowance for each call, and no more', async () => {
  const scene = await newScene(able)
  const answer = chat(scene, { tools, max_tokens: 500 })
  const run = await scene.host.receive('run')
  scene.host.accept(run)
  scene.host.sendParts(run.jobId, 0, [{ type: 'tool-call', index: 0, name: 'f', arguments: '{}' }], 400)
  await scene.host.end(
    run,
    { promptTokens: 10, cachedTokens: 0, generatedTokens: 400 },
    { finishReason: 'tool-calls' },
  )
  await answer
  await settle(scene.key.key)
  const usage = await (await call('GET', '/v1/usage', { token: scene.key.key })).json<{ totals: object }>()
  // 64 and the bytes of its name and arguments.
  expect(usage.totals).toMatchObject({ prompt_tokens: 10, generated_tokens: 67 })
})
