import { expect, test } from 'vitest'
import { chatRequest } from '../consumer/chat.schema.ts'
import { chatFault } from './chat-fault.ts'
import { chatNeeds, toChatPayload } from './chat-mapping.ts'

const user = { role: 'user', content: 'Hi' }
const tool = (name: string): unknown => ({ type: 'function', function: { name } })
const call = (id: string): unknown => ({ id, type: 'function', function: { name: 'f', arguments: '{}' } })
const asked = (...ids: string[]): unknown => ({ role: 'assistant', content: null, tool_calls: ids.map(call) })
const result = (id: string): unknown => ({ role: 'tool', tool_call_id: id, content: '1' })
const seen = (url: string): unknown => ({
  role: 'user',
  content: [
    { type: 'text', text: 'What is it?' },
    { type: 'image_url', image_url: { url } },
  ],
})

function faultOf(body: Record<string, unknown>): [string, string] | undefined {
  const fault = chatFault(chatRequest.parse({ model: 'm', messages: [user], ...body }))
  return fault && [fault.code, fault.param]
}

test.for<[string, Record<string, unknown>, string]>([
  ['a result of no call', { messages: [user, result('a')] }, 'messages.1.tool_call_id'],
  ['a result before its call', { messages: [result('a'), asked('a')] }, 'messages.0.tool_call_id'],
  ['a second result', { messages: [asked('a'), result('a'), result('a')] }, 'messages.2.tool_call_id'],
  ['two tools of one name', { tools: [tool('f'), tool('g'), tool('f')] }, 'tools.2.function.name'],
  ['a choice that is no tool', { tools: [tool('f')], tool_choice: tool('g') }, 'tool_choice'],
  ['a call that has to be made without tools', { tool_choice: 'required' }, 'tool_choice'],
  ['most likely tokens without probabilities', { top_logprobs: 1 }, 'top_logprobs'],
  ['an image elsewhere', { messages: [seen('https://x.test/a.png')] }, 'messages.0.content.1.image_url.url'],
  [
    'an image that is none',
    { messages: [seen('data:text/html;base64,AA==')] },
    'messages.0.content.1.image_url.url',
  ],
])('%s is invalid', ([, body, param]) => {
  expect(faultOf(body)).toEqual(['invalid_request', param])
})

test.for<[string, Record<string, unknown>]>([
  ['calls and their results', { messages: [user, asked('a', 'b'), result('b'), result('a')] }],
  ['the same id in a later call', { messages: [asked('a'), result('a'), asked('a'), result('a')] }],
  ['a call without a result yet', { messages: [user, asked('a')] }],
  [
    'nulls in place of what a client leaves out',
    { messages: [{ role: 'assistant', content: 'x', tool_calls: null, refusal: null, audio: null }] },
  ],
  ['an image', { messages: [seen('data:image/png;base64,iVBORw0KGgo=')] }],
  [
    'what asks for nothing',
    { store: false, service_tier: 'auto', modalities: ['text'], verbosity: 'medium', function_call: 'none' },
  ],
  ['fields that nobody knows', { chat_template_kwargs: {} }],
])('%s is fine', ([, body]) => {
  expect(faultOf(body)).toBeUndefined()
})

test.for<[string, unknown]>([
  ['functions', [{ name: 'f' }]],
  ['function_call', { name: 'f' }],
  ['modalities', ['text', 'audio']],
  ['audio', { voice: 'a', format: 'wav' }],
  ['prediction', { type: 'content', content: 'x' }],
  ['web_search_options', {}],
  ['verbosity', 'low'],
  ['service_tier', 'flex'],
  ['store', true],
])('[A3] %s is refused by name', ([name, value]) => {
  expect(faultOf({ [name]: value })).toEqual(['unsupported_parameter', name])
})

interface Issue {
  readonly path: readonly PropertyKey[]
  readonly errors?: readonly (readonly Issue[])[]
}

/** Where the faults are, also those of each form that a value may have. */
function places(issues: readonly Issue[], before: readonly PropertyKey[] = []): string[] {
  return issues.flatMap(({ path, errors = [] }) => {
    const at = [...before, ...path]
    return [at.join('.'), ...errors.flatMap((inner) => places(inner, at))]
  })
}

const sound = { role: 'user', content: [{ type: 'input_audio', input_audio: {} }] }
const file = { role: 'user', content: [{ type: 'file', file: {} }] }

test.for<[string, Record<string, unknown>, string]>([
  ['sound', { messages: [sound] }, 'messages.0.content.0.type'],
  ['a file', { messages: [user, file] }, 'messages.1.content.0.type'],
  ['a role of long ago', { messages: [{ role: 'function', content: 'x' }] }, 'messages.0.role'],
  ['a tool of another type', { tools: [{ type: 'custom', custom: { name: 'f' } }] }, 'tools.0.type'],
  ['a name with a space', { tools: [tool('a b')] }, 'tools.0.function.name'],
  ['nine answers', { n: 9 }, 'n'],
  ['more tokens beside each than 20', { logprobs: true, top_logprobs: 21 }, 'top_logprobs'],
  [
    '17 pairs',
    { metadata: Object.fromEntries(Array.from({ length: 17 }, (_, key) => [key, ''])) },
    'metadata',
  ],
])('%s has no place in a request', ([, body, path]) => {
  const { error } = chatRequest.safeParse({ model: 'm', messages: [user], ...body })
  expect(places((error?.issues ?? []) as readonly Issue[])).toContain(path)
})

test('images take a Host that sees, and reach it beside the text', () => {
  const url = 'data:image/png;base64,iVBORw0KGgo='
  const request = chatRequest.parse({ model: 'm', messages: [user, seen(url)] })
  expect(chatNeeds(request)).toEqual([{ parameter: 'messages.1.content', capability: 'vision' }])
  expect(toChatPayload(request, 1).messages[1]).toEqual({
    role: 'user',
    content: 'What is it?',
    images: [url],
  })
})

test('results without tools take a Host that knows calls', () => {
  const request = chatRequest.parse({ model: 'm', messages: [user, asked('a'), result('a')] })
  expect(chatNeeds(request)).toEqual([{ parameter: 'messages', capability: 'tools' }])
})
