import { CloseCode } from '@daisi/protocol'
import { expect, test } from 'vitest'
import { call } from './support/orc.ts'
import { newScene } from './support/scene.ts'

test.for([
  ['completion', '/v1/completions', { prompt: 'a' }],
  ['embedding', '/v1/embeddings', { input: 'a' }],
] as const)('[F10] parts of an answer in a Job of kind %s close with 4400', async ([kind, path, body]) => {
  const { host, key, model } = await newScene({ offer: { kinds: [kind], capabilities: [] } })
  const answer = call('POST', path, { token: key.key, body: { model, ...body } })
  const run = await host.receive('run')
  host.accept(run, 0)
  host.sendParts(run.jobId, 0, [{ type: 'text', text: 'x' }])
  expect((await host.closed).code).toBe(CloseCode.BadMessage)
  expect((await answer).status).toBe(502)
})
