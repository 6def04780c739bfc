import type { StandardSchemaV1 } from '@standard-schema/spec'
import { expect, test } from 'vitest'
import { errorOf } from '../test/client.ts'
import { ScriptedChat } from '../test/scripted-chat.ts'
import { textField } from '../test/schemas.ts'
import { parseChat } from './structured.ts'

const request = {
  model: 'm',
  messages: [{ role: 'user' as const, content: 'Who?' }],
  schema: textField('name'),
}

test('the answer is what the schema makes of it, and was asked for by its JSON Schema', async () => {
  const chat = new ScriptedChat([{ content: '{"name":"ada"}' }])
  const { value, completion } = await parseChat(chat, request)
  expect(value).toEqual({ name: 'ADA' })
  expect(completion.id).toBe('chatcmpl-1')
  const schema = { type: 'object', properties: { name: { type: 'string' } } }
  expect(chat.asked[0]?.response_format).toEqual({
    type: 'json_schema',
    json_schema: { name: 'answer', schema, strict: true },
  })
})

test.for([
  ['cut off', '{"name":"a', 'length', 'invalid_output'],
  ['no text at all', null, 'stop', 'invalid_output'],
  ['not what the schema wants', '{"name":7}', 'stop', 'invalid_output'],
] as const)('%s: thrown with a code', async ([, content, finish, code]) => {
  expect((await errorOf(parseChat(new ScriptedChat([{ content }], finish), request))).code).toBe(code)
})

test('a JSON Schema can stand beside a schema that writes none', async () => {
  // Any library's schema is one here.
  const schema: StandardSchemaV1 = {
    '~standard': { version: 1 as const, vendor: 'x', validate: (value: unknown) => ({ value }) },
  }
  const error = await errorOf(parseChat(new ScriptedChat([]), { ...request, schema }))
  expect(error).toMatchObject({ code: 'invalid_request', param: 'schema' })
  const chat = new ScriptedChat([{ content: '[1]' }])
  const jsonSchema = { type: 'array' }
  expect((await parseChat(chat, { ...request, schema: { schema, jsonSchema } })).value).toEqual([1])
})
