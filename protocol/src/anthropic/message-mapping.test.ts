import { describe, expect, test } from 'vitest'
import { chatPayload } from '../host/chat-payload.ts'
import { messageFault } from './message-fault.ts'
import { messageNeeds, messagePayload } from './message-mapping.ts'
import { type MessageRequest, messageRequest } from './message-request.ts'

const tool = { name: 'weather', description: 'Tells it', input_schema: { type: 'object' } }
const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } }
const cache = { cache_control: { type: 'ephemeral' } }
const plain = { model: 'm', max_tokens: 9, messages: [{ role: 'user', content: 'Hi' }] }

function asked(extra: object = {}): MessageRequest {
  return messageRequest.parse({ ...plain, ...extra })
}

describe('what a Host is given', () => {
  test('blocks become turns: results of calls are turns of their own, before what the user adds', () => {
    const request = asked({
      system: [
        { type: 'text', text: 'Be brief', ...cache },
        { type: 'text', text: 'Rhyme' },
      ],
      tools: [{ ...tool, type: 'custom', ...cache }],
      messages: [
        { role: 'user', content: [{ type: 'text', text: 'Look:', ...cache }, image] },
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: 'Hm', signature: '' },
            { type: 'text', text: 'Let me see' },
            { type: 'tool_use', id: 'a', name: 'weather', input: { at: 1 }, caller: { type: 'direct' } },
            { type: 'tool_use', id: 'b', name: 'weather', input: {} },
          ],
        },
        {
          role: 'user',
          content: [
            { type: 'tool_result', tool_use_id: 'b', content: 'no such place', is_error: true },
            { type: 'tool_result', tool_use_id: 'a', content: [{ type: 'text', text: 'sun' }, image] },
            { type: 'text', text: 'Well?' },
          ],
        },
        { role: 'assistant', content: 'Sunny' },
        { role: 'system', content: 'Stop rhyming' },
        { role: 'user', content: 'Thanks' },
      ],
    })
    expect(messageFault(request)).toBeUndefined()
    const payload = messagePayload(request, 9)
    const url = 'data:image/png;base64,AAAA'
    expect(payload.messages).toEqual([
      { role: 'system', content: 'Be brief\nRhyme' },
      { role: 'user', content: 'Look:', images: [url] },
      {
        role: 'assistant',
        content: 'Let me see',
        reasoning: 'Hm',
        toolCalls: [
          { id: 'a', name: 'weather', arguments: '{"at":1}' },
          { id: 'b', name: 'weather', arguments: '{}' },
        ],
      },
      { role: 'tool', content: 'Error: no such place', toolCallId: 'b' },
      { role: 'tool', content: 'sun', toolCallId: 'a' },
      { role: 'user', content: 'Well?', images: [url] },
      { role: 'assistant', content: 'Sunny' },
      { role: 'system', content: 'Stop rhyming' },
      { role: 'user', content: 'Thanks' },
    ])
    expect(chatPayload.parse(payload)).toEqual(payload)
    expect(messageNeeds(request).map(({ parameter }) => parameter)).toEqual(['tools', 'messages.0.content'])
  })

  const format = { type: 'json_schema', schema: { type: 'object' } }
  const output = { type: 'json-schema', schema: { type: 'object' } }
  const tools = [{ name: 'weather', description: 'Tells it', parameters: { type: 'object' } }]
  test.for<[object, object, string[]]>([
    [{ metadata: { user_id: 'u' }, service_tier: 'auto', speed: 'standard', mcp_servers: [] }, {}, []],
    [{ thinking: { type: 'adaptive' } }, {}, []],
    [{ thinking: { type: 'disabled' } }, { reasoningEffort: 'none' }, ['thinking']],
    [{ thinking: { type: 'enabled', budget_tokens: 1_024 } }, { reasoningEffort: 'low' }, ['thinking']],
    [{ thinking: { type: 'enabled', budget_tokens: 10_000 } }, { reasoningEffort: 'medium' }, ['thinking']],
    [{ thinking: { type: 'enabled', budget_tokens: 31_999 } }, { reasoningEffort: 'high' }, ['thinking']],
    [
      { thinking: { type: 'adaptive' }, output_config: { effort: 'low' } },
      { reasoningEffort: 'low' },
      ['output_config.effort'],
    ],
    [{ output_config: { format } }, { output }, ['output_config.format']],
    [{ output_format: format }, { output }, ['output_config.format']],
    [
      { tools: [tool], tool_choice: { type: 'any', disable_parallel_tool_use: true } },
      { tools, toolChoice: 'required', parallelToolCalls: false },
      ['tools'],
    ],
    [
      { tools: [tool], tool_choice: { type: 'tool', name: 'weather' } },
      { tools, toolChoice: { name: 'weather' } },
      ['tools'],
    ],
    [{ tools: [tool], tool_choice: { type: 'auto' } }, { tools }, ['tools']],
    [{ tools: [tool], tool_choice: { type: 'none' } }, {}, []],
    [{ context_management: { edits: [{ type: 'clear_thinking_20251015', keep: 'all' }] } }, {}, []],
  ])('%j becomes %j', ([extra, payload, parameters]) => {
    const request = asked(extra)
    expect(messageFault(request)).toBeUndefined()
    expect(messagePayload(request, 9)).toEqual({
      messages: [{ role: 'user', content: 'Hi' }],
      sampling: { maxTokens: 9, stop: [] },
      ...payload,
    })
    expect(messageNeeds(request).map(({ parameter }) => parameter)).toEqual(parameters)
  })

  test('how tokens are chosen', () => {
    const request = asked({ temperature: 0.5, top_p: 0.9, top_k: 40, stop_sequences: ['END'] })
    expect(messagePayload(request, 9).sampling).toEqual({
      temperature: 0.5,
      topP: 0.9,
      topK: 40,
      maxTokens: 9,
      stop: ['END'],
    })
    expect(messageNeeds(request).map(({ capability }) => capability)).toEqual(['top-k'])
  })
})

describe('[A13] what is not served is refused by name', () => {
  const use = { role: 'assistant', content: [{ type: 'tool_use', id: 'a', name: 'weather', input: {} }] }
  const result = { type: 'tool_result', tool_use_id: 'a' }
  const said = (block: object, role = 'user'): object => ({ messages: [{ role, content: [block] }] })
  test.for<[object, string, string]>([
    [{ container: 'c' }, 'unsupported_parameter', 'container'],
    [{ mcp_servers: [{ name: 'x' }] }, 'unsupported_parameter', 'mcp_servers'],
    [{ speed: 'fast' }, 'unsupported_parameter', 'speed'],
    [{ inference_geo: 'eu' }, 'unsupported_parameter', 'inference_geo'],
    [
      { context_management: { edits: [{ type: 'clear_tool_uses' }] } },
      'unsupported_parameter',
      'context_management',
    ],
    [
      {
        context_management: {
          edits: [{ type: 'clear_thinking_20251015', keep: { type: 'thinking_turns' } }],
        },
      },
      'unsupported_parameter',
      'context_management',
    ],
    [{ thinking: { type: 'between_tools' } }, 'unsupported_parameter', 'thinking.type'],
    [{ output_config: { effort: 'max' } }, 'unsupported_parameter', 'output_config.effort'],
    [{ tools: [{ type: 'web_search_20250305', name: 'w' }] }, 'unsupported_parameter', 'tools.0.type'],
    [{ tools: [tool, tool] }, 'invalid_request', 'tools.1.name'],
    [{ tool_choice: { type: 'any' } }, 'invalid_request', 'tool_choice'],
    [{ tool_choice: { type: 'tool', name: 'x' } }, 'invalid_request', 'tool_choice'],
    [said({ type: 'document', source: {} }), 'unsupported_parameter', 'messages.0.content.0.type'],
    [
      said({ type: 'image', source: { type: 'url', url: 'https://example.org/a.png' } }),
      'unsupported_parameter',
      'messages.0.content.0.source.type',
    ],
    [said(image, 'assistant'), 'invalid_request', 'messages.0.content.0.type'],
    [said(result), 'invalid_request', 'messages.0.content.0.tool_use_id'],
    [
      { messages: [use, { role: 'user', content: [result, result] }] },
      'invalid_request',
      'messages.1.content.1.tool_use_id',
    ],
    [
      { messages: [use, { role: 'user', content: [{ ...result, content: [{ type: 'search_result' }] }] }] },
      'unsupported_parameter',
      'messages.1.content.0.content.0.type',
    ],
  ])('%j: %s of %s', ([extra, code, param]) => {
    expect({ ...messageFault(asked(extra)), message: undefined }).toEqual({ code, param, message: undefined })
  })

  test.for<object>([
    { max_tokens: undefined },
    { max_tokens: 0 },
    { messages: [] },
    { stop_sequences: ['a', 'b', 'c', 'd', 'e'] },
    said({ type: 'tool_use', id: 'a', name: 'weather', input: 'x' }, 'assistant'),
    said({ ...image, source: { ...image.source, media_type: 'image/tiff' } }),
  ])('a wrong value is no request: %j', (extra) => {
    expect(messageRequest.safeParse({ ...plain, ...extra }).success).toBe(false)
  })
})
