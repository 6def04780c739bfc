import type { OutputPart } from '@daisi/protocol'
import { describe, expect, test } from 'vitest'
import { responseEventShape, responseShape } from '@daisi/protocol/testing/responses-shapes'
import { ABILITIES, namedEvents, sendPart, serveParts } from './support/answers.ts'
import { call, settle } from './support/orc.ts'
import { type Scene, errorCode, newScene } from './support/scene.ts'

const able = { offer: { capabilities: [...ABILITIES] } }
const parameters = { type: 'object', properties: { at: { type: 'string' } } }
const tool = { type: 'function', name: 'weather', description: 'Tells it', parameters, strict: true }

function respond({ key, model }: Scene, body: Record<string, unknown> = {}): Promise<Response> {
  const request = { model, input: 'Hi', max_output_tokens: 20, ...body }
  return call('POST', '/v1/responses', { token: key.key, body: request })
}

const called: OutputPart[] = [
  { type: 'reasoning', text: 'Hm' },
  { type: 'text', text: 'Let me see' },
  { type: 'tool-call', index: 0, name: 'weather', arguments: '{"at":' },
  { type: 'tool-call', index: 0, arguments: '"Rome"}' },
]

describe('[A12] the Responses API', () => {
  test('what a model thinks, says and calls comes back, and goes to a Host again with the result', async () => {
    const scene = await newScene(able)
    const first = respond(scene, {
      instructions: 'Be brief',
      tools: [tool],
      reasoning: { effort: 'low' },
      metadata: { mine: 'yes' },
    })
    const run = await serveParts(scene.host, called, { finishReason: 'tool-calls' })
    expect(run.payload).toMatchObject({
      messages: [
        { role: 'system', content: 'Be brief' },
        { role: 'user', content: 'Hi' },
      ],
      tools: [{ name: 'weather', description: 'Tells it', parameters, strict: true }],
      reasoningEffort: 'low',
      sampling: { maxTokens: 20 },
    })
    const answer = responseShape.parse(await (await first).json())
    expect(answer).toMatchObject({
      status: 'completed',
      model: scene.model,
      metadata: { mine: 'yes' },
      tools: [tool],
      output: [
        { type: 'reasoning', content: [{ text: 'Hm' }] },
        { type: 'message', content: [{ text: 'Let me see' }] },
        { type: 'function_call', name: 'weather', arguments: '{"at":"Rome"}' },
      ],
      usage: {
        input_tokens: 10,
        input_tokens_details: { cached_tokens: 4 },
        output_tokens: 4,
        total_tokens: 14,
      },
    })
    const made = answer.output[2]
    const callId = made?.type === 'function_call' ? made.call_id : ''
    const second = respond(scene, {
      input: [
        { role: 'user', content: 'Hi' },
        ...answer.output,
        { type: 'function_call_output', call_id: callId, output: 'sun' },
      ],
      tools: [tool],
    })
    const again = await serveParts(scene.host, [{ type: 'text', text: 'Sunny' }])
    expect(again.payload).toMatchObject({
      messages: [
        { role: 'user' },
        {
          role: 'assistant',
          content: 'Let me see',
          reasoning: 'Hm',
          toolCalls: [{ id: callId, name: 'weather', arguments: '{"at":"Rome"}' }],
        },
        { role: 'tool', content: 'sun', toolCallId: callId },
      ],
    })
    expect((await second).status).toBe(200)
    await settle(scene.key.key)
  })

  test('a stream has every event in its shape, and the whole answer in the last', async () => {
    const scene = await newScene(able)
    const logprobs = [{ token: 'x', logprob: -1, top: [{ token: 'y', logprob: -2 }] }]
    const answer = respond(scene, {
      stream: true,
      include: ['message.output_text.logprobs'],
      top_logprobs: 1,
      text: { format: { type: 'json_schema', name: 'n', schema: parameters } },
    })
    const parts: OutputPart[] = [
      { type: 'reasoning', text: 'Hm' },
      { type: 'text', text: 'x' },
    ]
    const run = await serveParts(scene.host, parts, { finishReason: 'length', logprobs })
    expect(run.payload).toMatchObject({ logprobs: 1, output: { type: 'json-schema', schema: parameters } })
    const told = await namedEvents(await answer)
    for (const [number, { event, data }] of told.entries())
      expect(responseEventShape.parse(data)).toMatchObject({ type: event, sequence_number: number })
    expect(told.map(({ event }) => event)).toEqual([
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.content_part.added',
      'response.reasoning_text.delta',
      'response.reasoning_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.incomplete',
    ])
    expect(told.at(-1)?.data).toMatchObject({
      response: {
        status: 'incomplete',
        incomplete_details: { reason: 'max_output_tokens' },
        output: [{ type: 'reasoning' }, { content: [{ text: 'x', logprobs: [{ token: 'x' }] }] }],
        usage: { output_tokens: 2 },
      },
    })
  })

  test('a stream whose Host is lost ends with the error and the failed response', async () => {
    const scene = await newScene(able)
    const answer = respond(scene, { stream: true })
    const run = await scene.host.receive('run')
    scene.host.accept(run)
    sendPart(scene.host, run, 0, { type: 'text', text: 'x' })
    const response = await answer
    scene.host.close()
    const told = await namedEvents(response)
    for (const { data } of told) responseEventShape.parse(data)
    expect(told.slice(-2)).toMatchObject([
      { event: 'error', data: { code: 'host_lost' } },
      { event: 'response.failed', data: { response: { status: 'failed', error: { code: 'server_error' } } } },
    ])
  })

  test('an answer of which the Worker would have to keep more than 4 MiB ends there', async () => {
    const scene = await newScene()
    const answer = respond(scene, { stream: true, max_output_tokens: 5_000 })
    const run = await scene.host.receive('run')
    scene.host.accept(run)
    const told = answer.then(namedEvents)
    for (let sequence = 0; sequence * 60_000 <= 4 * 1024 * 1024; sequence++) {
      // As the window allows (rule F5): four at once, then three with each grant.
      if (sequence >= 4 && sequence % 3 === 1) await scene.host.receive('credit')
      scene.host.sendFrame(run.jobId, sequence, 'x'.repeat(60_000), 60)
    }
    expect((await told).slice(-2)).toMatchObject([
      { event: 'error', data: { code: 'invalid_request' } },
      { event: 'response.failed', data: { response: { output: [] } } },
    ])
  })

  test('faults have OpenAI’s shape, and name the field as this API calls it', async () => {
    const scene = await newScene()
    const fault = async (body: Record<string, unknown>): Promise<unknown> => {
      const response = await respond(scene, body)
      const { error } = await response.json<{ error: { code: string; param: string | null } }>()
      return [response.status, error.code, error.param]
    }
    expect(await fault({ store: true })).toEqual([400, 'unsupported_parameter', 'store'])
    expect(await fault({ previous_response_id: 'resp_1' })).toEqual([
      400,
      'unsupported_parameter',
      'previous_response_id',
    ])
    expect(await fault({ input: [{ type: 'function_call', call_id: 'a' }] })).toEqual([
      400,
      'invalid_request',
      'input.0.name',
    ])
    // No Host of this model can.
    expect(await fault({ tools: [tool] })).toEqual([400, 'unsupported_parameter', 'tools'])
    expect(await fault({ text: { format: { type: 'json_object' } } })).toEqual([
      400,
      'unsupported_parameter',
      'text.format',
    ])
    const long = respond(scene)
    const { jobId } = await scene.host.receive('run')
    const lengths = { promptTokens: 30, contextLength: 2_048 }
    scene.host.send({ type: 'refused', jobId, code: 'context_length_exceeded', message: 'long', ...lengths })
    expect(await (await long).json()).toMatchObject({
      error: { code: 'context_length_exceeded', param: 'input' },
    })
  })

  test('nothing is stored', async () => {
    const { key } = await newScene()
    for (const [method, path] of [
      ['GET', '/v1/responses/resp_1'],
      ['DELETE', '/v1/responses/resp_1'],
      ['POST', '/v1/responses/resp_1/cancel'],
      ['GET', '/v1/responses/resp_1/input_items'],
    ] as const) {
      const response = await call(method, path, { token: key.key })
      expect([path, response.status, await errorCode(response)]).toEqual([path, 404, 'not_found'])
    }
  })
})
