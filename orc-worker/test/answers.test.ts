import {
  balanceAnswer,
  browserTokenAnswer,
  chatChunkAnswer,
  chatCompletionAnswer,
  completionAnswer,
  discovery,
  errorAnswer,
  sessionAnswer,
  usageAnswer,
} from '@daisi/protocol'
import { expect, test } from 'vitest'
import * as z from 'zod'
import { call } from './support/orc.ts'
import { chat, events, newScene } from './support/scene.ts'

// What the Orc says in OpenAPI that it answers is what it answers, field by field: nothing is missing and nothing undescribed.

/** The answer, if it has exactly the fields of the schema. */
function exactly(schema: z.ZodType, answer: unknown): void {
  expect(schema.parse(answer)).toEqual(answer)
}

test('chats are as described, at once and streamed, and so are completions', async () => {
  const scene = await newScene({ offer: { kinds: ['chat', 'completion'] } })
  const whole = chat(scene)
  await scene.host.serve(['x'])
  exactly(chatCompletionAnswer, await (await whole).json())
  const streamed = chat(scene, { stream: true, stream_options: { include_usage: true } })
  await scene.host.serve(['x', 'y'])
  for (const event of await events(await streamed)) if (event !== '[DONE]') exactly(chatChunkAnswer, event)
  const body = { model: scene.model, prompt: 'x' }
  const completed = call('POST', '/v1/completions', { token: scene.key.key, body })
  await scene.host.serve(['y'])
  exactly(completionAnswer, await (await completed).json())
})

test('so are Sessions, tokens, credits, errors and the Orc itself', async () => {
  const { key } = await newScene()
  const ask = async (method: string, path: string, body?: unknown): Promise<unknown> =>
    (await call(method, path, { token: key.key, ...(body === undefined ? {} : { body }) })).json()
  const session = z.looseObject({ id: z.string() }).parse(await ask('POST', '/v1/sessions', {}))
  exactly(sessionAnswer, session)
  exactly(sessionAnswer, await ask('GET', `/v1/sessions/${session.id}`))
  exactly(browserTokenAnswer, await ask('POST', '/v1/tokens', { origins: null }))
  exactly(usageAnswer, await ask('GET', '/v1/usage'))
  exactly(balanceAnswer, await ask('GET', '/v1/balance'))
  exactly(errorAnswer, await ask('GET', '/v1/nowhere'))
  exactly(discovery, await ask('GET', '/.well-known/daisi'))
})
