import { type TokenLogprob, encodeFrame, textFrame } from '@daisi/protocol'
import { completionShape } from '@daisi/protocol/testing/openai-shapes'
import { expect, test } from 'vitest'
import { call } from './support/orc.ts'
import { type Scene, events, newScene } from './support/scene.ts'

const completes = { offer: { kinds: ['completion' as const], capabilities: ['logprobs'] } }

function complete({ key, model }: Scene, body: Record<string, unknown> = {}): Promise<Response> {
  return call('POST', '/v1/completions', { token: key.key, body: { model, prompt: 'a', ...body } })
}

test('how likely tokens were, with where each begins, across the events of a stream', async () => {
  const scene = await newScene(completes)
  const answer = complete(scene, { stream: true, logprobs: 1, stream_options: { include_usage: true } })
  const run = await scene.host.receive('run')
  scene.host.accept(run)
  for (const [sequence, text] of ['ab', 'cde', 'f'].entries()) {
    const logprobs: TokenLogprob[] = [{ token: text, logprob: -1, top: [{ token: 'q', logprob: -2 }] }]
    scene.host.sendRaw(
      encodeFrame(textFrame({ jobId: run.jobId, sequence, text, tokenIds: [sequence], logprobs })),
    )
  }
  await scene.host.end(run, { promptTokens: 10, cachedTokens: 0, generatedTokens: 3 })
  const told = await events(await answer)
  expect(told.pop()).toBe('[DONE]')
  const chunks = told.map((chunk) => completionShape.parse(chunk))
  expect(chunks.pop()).toMatchObject({ choices: [], usage: { completion_tokens: 3 } })
  const likely = chunks.flatMap(({ choices }) => choices[0]?.logprobs ?? [])
  expect(likely.flatMap(({ tokens }) => tokens)).toEqual(['ab', 'cde', 'f'])
  expect(likely.flatMap(({ text_offset }) => text_offset)).toEqual([0, 2, 5])
  expect(likely[0]?.top_logprobs).toEqual([{ q: -2 }])
  expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe('stop')
})
