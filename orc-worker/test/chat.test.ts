import { expect, test } from 'vitest'
import { audit, balanceOf, settle } from './support/orc.ts'
import { chat, events, newScene } from './support/scene.ts'

test('a chat crosses the network and credits move', async () => {
  const scene = await newScene()
  const answer = chat(scene)
  await scene.host.serve(['Hello', ' there'])
  const response = await answer
  expect(response.status).toBe(200)
  expect(response.headers.get('x-request-id')).toMatch(/^req_/)
  expect(await response.json()).toMatchObject({
    object: 'chat.completion',
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: 'Hello there', refusal: null },
        finish_reason: 'stop',
      },
    ],
    usage: { prompt_tokens: 10, completion_tokens: 2, total_tokens: 12 },
  })
  await settle(scene.key.key)
  expect((await balanceOf(scene.owner)).available).toBe(10_012)
  const { available, held } = await balanceOf(scene.consumer)
  expect(available + held).toBe(9_988)
  expect(await audit()).toMatchObject({ sum: 0, drifted: 0, overdrawn: 0 })
})

test('[A5] a stream has the role first, then text, the finish, the usage that was asked for, and [DONE]', async () => {
  const scene = await newScene()
  const answer = chat(scene, { stream: true, stream_options: { include_usage: true } })
  await scene.host.serve(['Hel', 'lo'])
  const response = await answer
  expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/)
  expect(await events(response)).toMatchObject([
    {
      object: 'chat.completion.chunk',
      choices: [{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }],
    },
    { choices: [{ delta: { content: 'Hel' } }] },
    { choices: [{ delta: { content: 'lo' } }] },
    { choices: [{ delta: {}, finish_reason: 'stop' }] },
    {
      choices: [],
      usage: { prompt_tokens: 10, completion_tokens: 2, prompt_tokens_details: { cached_tokens: 0 } },
    },
    '[DONE]',
  ])
})
