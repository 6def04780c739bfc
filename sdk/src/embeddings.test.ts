import { expect, test } from 'vitest'
import { client, errorOf } from '../test/client.ts'
import { FakeOrc } from '../test/fake-orc.ts'
import { embed } from './embeddings.ts'

const request = { model: 'm', input: ['a', 'b'] }

function embedWith(data: unknown): ReturnType<typeof embed> {
  const usage = { prompt_tokens: 2, total_tokens: 2 }
  const orc = new FakeOrc().next(() => Response.json({ object: 'list', model: 'm', data, usage }))
  return embed(client(orc), request)
}

/** Little-endian float32. */
function base64(...numbers: readonly number[]): string {
  const view = new DataView(new ArrayBuffer(numbers.length * 4))
  for (const [index, number] of numbers.entries()) view.setFloat32(index * 4, number, true)
  return btoa(String.fromCharCode(...new Uint8Array(view.buffer)))
}

test('vectors come as base64 or as numbers, one for each input, in order', async () => {
  const { vectors, usage } = await embedWith([
    { index: 1, embedding: [0.25, 2] },
    { index: 0, embedding: base64(-0.5, 1) },
  ])
  expect(vectors).toEqual([Float32Array.of(-0.5, 1), Float32Array.of(0.25, 2)])
  expect(usage.prompt_tokens).toBe(2)
})

test.for([
  ['no list', undefined],
  ['no base64', [{ index: 0, embedding: '%' }]],
  ['half a number', [{ index: 0, embedding: btoa('12345') }]],
  ['a hole', [{ index: 4_000_000_000, embedding: [1] }]],
] as const)('%s is no answer', async ([, data]) => {
  expect(await errorOf(embedWith(data))).toMatchObject({ code: 'invalid_response', isRetryable: false })
})
