import { describe, expect, test } from 'vitest'
import { AnswerCollector, type AnswerDelta, type AnswerFinish, type StreamEvent } from '../answer.ts'
import { type ParsedResponsesRequest, responsesRequest } from '../consumer/responses.schema.ts'
import type { ModelResponse, ResponsesRequest } from '../consumer/responses.ts'
import { chatPayload } from '../host/chat-payload.ts'
import { responseEventShape, responseShape } from '../testing/responses-shapes.ts'
import { wholeResponse } from './response-answer.ts'
import { responseFault } from './response-fault.ts'
import { responseNeeds, responsePayload } from './response-mapping.ts'
import { ResponseWriter } from './response-writer.ts'

const tool = { type: 'function', name: 'weather', parameters: { type: 'object' } } as const
const image = 'data:image/png;base64,AAAA'

function asked(extra: Partial<ResponsesRequest> | Record<string, unknown> = {}): ParsedResponsesRequest {
  return responsesRequest.parse({ model: 'm', input: 'Hi', ...extra })
}

describe('what a Host is given', () => {
  test('items become turns: what the model thought, said and called together is one', () => {
    const request = asked({
      instructions: 'Be brief',
      tools: [tool],
      input: [
        { role: 'developer', content: 'Rhyme' },
        {
          role: 'user',
          content: [
            { type: 'input_text', text: 'Look: ' },
            { type: 'input_image', image_url: image },
          ],
        },
        { type: 'reasoning', id: 'rs_1', summary: [], content: [{ type: 'reasoning_text', text: 'Hm' }] },
        {
          type: 'message',
          id: 'msg_1',
          status: 'completed',
          role: 'assistant',
          content: [{ type: 'output_text', text: 'Let me see', annotations: [], logprobs: [] }],
        },
        { type: 'function_call', call_id: 'a', name: 'weather', arguments: '{}', id: 'fc_1' },
        { type: 'function_call', call_id: 'b', name: 'weather', arguments: '{}' },
        { type: 'function_call_output', call_id: 'b', output: 'rain' },
        { type: 'function_call_output', call_id: 'a', output: [{ type: 'input_text', text: 'sun' }] },
        { type: 'reasoning', summary: [{ type: 'summary_text', text: 'Mixed' }] },
        { role: 'assistant', content: 'Both' },
        { role: 'assistant', content: [{ type: 'refusal', refusal: 'No' }] },
        { role: 'user', content: 'Why?' },
      ],
    })
    expect(responseFault(request)).toBeUndefined()
    const payload = responsePayload(request, 9)
    expect(payload.messages).toEqual([
      { role: 'system', content: 'Be brief' },
      { role: 'system', content: 'Rhyme' },
      { role: 'user', content: 'Look: ', images: [image] },
      {
        role: 'assistant',
        content: 'Let me see',
        reasoning: 'Hm',
        toolCalls: [
          { id: 'a', name: 'weather', arguments: '{}' },
          { id: 'b', name: 'weather', arguments: '{}' },
        ],
      },
      { role: 'tool', content: 'rain', toolCallId: 'b' },
      { role: 'tool', content: 'sun', toolCallId: 'a' },
      { role: 'assistant', content: 'Both', reasoning: 'Mixed' },
      { role: 'assistant', content: 'No' },
      { role: 'user', content: 'Why?' },
    ])
    expect(chatPayload.parse(payload)).toEqual(payload)
    expect(responseNeeds(request).map(({ parameter }) => parameter)).toEqual(['tools', 'input.1.content'])
  })

  test.for<[Partial<ResponsesRequest>, Record<string, unknown>, string[]]>([
    [{}, {}, []],
    [{ text: { format: { type: 'text' } } }, {}, []],
    [{ text: { format: { type: 'json_object' } } }, { output: { type: 'json' } }, ['json-schema']],
    [
      { text: { format: { type: 'json_schema', name: 'n', schema: { type: 'object' } } } },
      { output: { type: 'json-schema', schema: { type: 'object' } } },
      ['json-schema'],
    ],
    [{ reasoning: { effort: 'low', summary: 'auto' } }, { reasoningEffort: 'low' }, ['reasoning-effort']],
    [
      { include: ['message.output_text.logprobs', 'reasoning.encrypted_content'], top_logprobs: 3 },
      { logprobs: 3 },
      ['logprobs'],
    ],
    [{ include: ['reasoning.encrypted_content'] }, {}, []],
    [
      { tools: [tool], tool_choice: { type: 'function', name: 'weather' }, parallel_tool_calls: false },
      {
        tools: [{ name: 'weather', parameters: { type: 'object' } }],
        toolChoice: { name: 'weather' },
        parallelToolCalls: false,
      },
      ['tools'],
    ],
    [{ tools: [tool], tool_choice: 'none' }, {}, []],
  ])('%j becomes %j', ([extra, payload, capabilities]) => {
    const request = asked(extra)
    expect(responseFault(request)).toBeUndefined()
    expect(responsePayload(request, 9)).toEqual({
      messages: [{ role: 'user', content: 'Hi' }],
      sampling: { maxTokens: 9, stop: [] },
      ...payload,
    })
    expect(responseNeeds(request).map(({ capability }) => capability)).toEqual(capabilities)
  })
})

describe('[A12] what is not served is refused by name', () => {
  const call = { type: 'function_call', call_id: 'a', name: 'weather', arguments: '{}' }
  const result = { type: 'function_call_output', call_id: 'a', output: '' }
  const said = (part: unknown, role = 'user'): unknown => ({ input: [{ role, content: [part] }] })
  test.for<[unknown, string, string]>([
    [{ store: true }, 'unsupported_parameter', 'store'],
    [{ previous_response_id: 'resp_1' }, 'unsupported_parameter', 'previous_response_id'],
    [{ conversation: 'conv_1' }, 'unsupported_parameter', 'conversation'],
    [{ background: true }, 'unsupported_parameter', 'background'],
    [{ prompt: { id: 'p' } }, 'unsupported_parameter', 'prompt'],
    [{ truncation: 'auto' }, 'unsupported_parameter', 'truncation'],
    [{ service_tier: 'priority' }, 'unsupported_parameter', 'service_tier'],
    [{ max_tool_calls: 1 }, 'unsupported_parameter', 'max_tool_calls'],
    [{ text: { verbosity: 'low' } }, 'unsupported_parameter', 'text.verbosity'],
    [{ include: ['file_search_call.results'] }, 'unsupported_parameter', 'include.0'],
    [{ top_logprobs: 2 }, 'invalid_request', 'top_logprobs'],
    [{ tools: [tool, { type: 'web_search' }] }, 'unsupported_parameter', 'tools.1.type'],
    [{ tools: [tool, tool] }, 'invalid_request', 'tools.1.name'],
    [{ tool_choice: 'required' }, 'invalid_request', 'tool_choice'],
    [{ tool_choice: { type: 'function', name: 'x' } }, 'invalid_request', 'tool_choice'],
    [{ tool_choice: { type: 'mcp', name: 'x' } }, 'unsupported_parameter', 'tool_choice.type'],
    [{ input: [{ type: 'item_reference', id: 'x' }] }, 'unsupported_parameter', 'input.0.type'],
    [said({ type: 'input_file', file_id: 'f' }), 'unsupported_parameter', 'input.0.content.0.type'],
    [said({ type: 'input_image', file_id: 'f' }), 'invalid_request', 'input.0.content.0.image_url'],
    [said({ type: 'input_image', image_url: image }, 'system'), 'invalid_request', 'input.0.content.0.type'],
    [{ input: [result] }, 'invalid_request', 'input.0.call_id'],
    [{ input: [call, result, result] }, 'invalid_request', 'input.2.call_id'],
    [
      { input: [call, { ...result, output: [{ type: 'input_image', image_url: image }] }] },
      'unsupported_parameter',
      'input.1.output.0.type',
    ],
  ])('%j: %s of %s', ([extra, code, param]) => {
    const fault = responseFault(asked(extra as Record<string, unknown>))
    expect({ ...fault, message: undefined }).toEqual({ code, param, message: undefined })
  })

  test('what asks for nothing is let through', () => {
    const harmless = {
      store: false,
      background: false,
      previous_response_id: null,
      truncation: 'disabled',
      service_tier: 'auto',
      text: { verbosity: 'medium' },
      stream_options: { include_obfuscation: false },
    }
    expect(responseFault(asked(harmless))).toBeUndefined()
  })

  test.for<[unknown, string]>([
    [{ input: [{ role: 'robot', content: 'x' }] }, 'input.0.role'],
    [{ input: [{ ...call, call_id: '' }] }, 'input.0.call_id'],
    [{ metadata: Object.fromEntries(Array.from({ length: 17 }, (_, at) => [`k${at}`, 'v'])) }, 'metadata'],
    [{ reasoning: { effort: 'huge' } }, 'reasoning.effort'],
  ])('a wrong value is no request: %j', ([extra, path]) => {
    const parsed = responsesRequest.safeParse({ model: 'm', input: 'Hi', ...(extra as object) })
    expect(JSON.stringify(parsed.error?.issues)).toContain(`"${path.split('.').at(-1)}"`)
  })
})

const identity = { id: 'resp_abc', created: 100, request: asked({ tools: [tool], metadata: { a: 'b' } }) }
const usage = { promptTokens: 10, cachedTokens: 4, generatedTokens: 6 }
const logprobs = [{ token: 'é', logprob: -0.5, top: [{ token: '\uFFFD', logprob: -1 }] }]
const deltas: AnswerDelta[] = [
  { type: 'delta', parts: [{ type: 'reasoning', text: 'Hm' }] },
  {
    type: 'delta',
    parts: [
      { type: 'reasoning', text: '!' },
      { type: 'text', text: 'é' },
    ],
    logprobs,
  },
  { type: 'delta', parts: [{ type: 'tool-call', index: 0, name: 'weather', arguments: '{"a"' }] },
  { type: 'delta', parts: [{ type: 'tool-call', index: 1, name: 'weather', arguments: '' }] },
  { type: 'delta', parts: [{ type: 'tool-call', index: 0, arguments: ':1}' }] },
  { type: 'delta', parts: [{ type: 'tool-call', index: 1, arguments: '{}' }] },
]

function streamed(parts: readonly AnswerDelta[], reason: AnswerFinish['reason']): StreamEvent[] {
  const writer = new ResponseWriter(identity, () => 101)
  return [
    ...writer.start(),
    ...parts.flatMap((part) => writer.delta(0, part)),
    ...writer.finish(0, { type: 'finish', reason, usage }),
    ...writer.end(),
  ]
}

function whole(parts: readonly AnswerDelta[], reason: AnswerFinish['reason']): ModelResponse {
  const collector = new AnswerCollector()
  for (const part of parts) collector.add(part)
  return wholeResponse(identity, collector.whole({ type: 'finish', reason, usage }), 101)
}

const typesOf = (events: readonly StreamEvent[]): unknown[] => events.map(({ event }) => event)
const dataOf = (event: StreamEvent | undefined): { response: ModelResponse } =>
  event?.data as { response: ModelResponse }

describe('[A12] how an answer is told', () => {
  test('every event has its shape, its name and its number', () => {
    const events = streamed(deltas, 'tool-calls')
    for (const [number, { event, data }] of events.entries())
      expect(responseEventShape.parse(data)).toMatchObject({ type: event, sequence_number: number })
    expect(typesOf(events)).toEqual([
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.content_part.added',
      'response.reasoning_text.delta',
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
      'response.output_item.added',
      'response.function_call_arguments.delta',
      'response.output_item.added',
      'response.function_call_arguments.delta',
      'response.function_call_arguments.delta',
      'response.function_call_arguments.done',
      'response.output_item.done',
      'response.function_call_arguments.done',
      'response.output_item.done',
      'response.completed',
    ])
  })

  test('the last event has the whole answer, as it is told at once', () => {
    for (const reason of ['tool-calls', 'length'] as const) {
      const { response } = dataOf(streamed(deltas, reason).at(-1))
      expect(response).toEqual(whole(deltas, reason))
      expect(responseShape.parse(response)).toMatchObject({
        status: reason === 'length' ? 'incomplete' : 'completed',
        incomplete_details: reason === 'length' ? { reason: 'max_output_tokens' } : null,
        metadata: { a: 'b' },
        output: [
          { type: 'reasoning', content: [{ text: 'Hm!' }], status: 'completed' },
          {
            type: 'message',
            content: [
              {
                text: 'é',
                logprobs: [{ token: 'é', bytes: [195, 169], top_logprobs: [{ token: '\uFFFD', bytes: [] }] }],
              },
            ],
          },
          { type: 'function_call', arguments: '{"a":1}', status: 'completed' },
          {
            type: 'function_call',
            arguments: '{}',
            status: reason === 'length' ? 'incomplete' : 'completed',
          },
        ],
        usage: {
          input_tokens: 10,
          input_tokens_details: { cached_tokens: 4 },
          output_tokens: 6,
          total_tokens: 16,
        },
      })
    }
  })

  test('an answer without any text has an empty one', () => {
    const { response } = dataOf(streamed([], 'stop').at(-1))
    expect(response.output).toMatchObject([{ type: 'message', content: [{ text: '' }] }])
    expect(response).toEqual(whole([], 'stop'))
  })

  test('one that cannot go on ends with an error and the failed response, even before it began', () => {
    const failure = { code: 'host_lost', status: 502, message: 'The Host was lost.' }
    const events = new ResponseWriter(identity, () => 101).fail(failure)
    for (const { data } of events) responseEventShape.parse(data)
    expect(typesOf(events)).toEqual(['response.created', 'response.in_progress', 'error', 'response.failed'])
    expect(dataOf(events.at(-1)).response).toMatchObject({
      status: 'failed',
      error: { code: 'server_error' },
    })
    const writer = new ResponseWriter(identity, () => 101)
    writer.start()
    for (const delta of deltas) writer.delta(0, delta)
    expect(typesOf(writer.fail({ ...failure, status: 429 }))).toEqual(['error', 'response.failed'])
  })

  test('what it keeps is counted', () => {
    const writer = new ResponseWriter(identity, () => 101)
    for (const delta of deltas) writer.delta(0, delta)
    expect(writer.size).toBe('Hm!é{"a":1}{}'.length + 128)
  })
})
