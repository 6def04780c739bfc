import { describe, expect, test } from 'vitest'
import { type ParsedResponsesRequest, responsesRequest } from '../consumer/responses.schema.ts'
import type { ResponsesRequest } from '../consumer/responses.ts'
import { chatPayload } from '../host/chat-payload.ts'
import { responseFault } from './response-fault.ts'
import { responseNeeds, responsePayload } from './response-mapping.ts'

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
        { type: 'reasoning', content: [{ type: 'reasoning_text', text: 'Not so' }] },
        { role: 'assistant', content: [{ type: 'refusal', refusal: 'No' }] },
        { role: 'user', content: 'Why?' },
        { type: 'function_call', call_id: 'c', name: 'weather', arguments: '{}' },
        { type: 'function_call_output', call_id: 'c', output: 'fog' },
        { type: 'function_call', call_id: 'd', name: 'weather', arguments: '{}' },
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
      { role: 'assistant', content: 'No', reasoning: 'Not so' },
      { role: 'user', content: 'Why?' },
      { role: 'assistant', content: '', toolCalls: [{ id: 'c', name: 'weather', arguments: '{}' }] },
      { role: 'tool', content: 'fog', toolCallId: 'c' },
      { role: 'assistant', content: '', toolCalls: [{ id: 'd', name: 'weather', arguments: '{}' }] },
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
