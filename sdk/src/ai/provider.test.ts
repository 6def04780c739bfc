import { expect, test } from 'vitest'
import { client } from '../../test/client.ts'
import { FakeOrc } from '../../test/fake-orc.ts'
import { createDaisi } from '../ai.ts'

const busy = (): Response => Response.json({}, { status: 503, headers: { 'retry-after-ms': '1' } })

test('[K1] what a repetition helps is sent again, under one key, unless the provider says otherwise', async () => {
  const orc = new FakeOrc().next(busy)
  const prompt = [{ role: 'user' as const, content: [{ type: 'text' as const, text: 'Hello' }] }]
  await createDaisi(client(orc)).languageModel('daisi-nano').doGenerate({ prompt })
  expect(orc.seen).toHaveLength(2)
  expect(new Set(orc.seen.map(({ headers }) => headers.get('idempotency-key')))).toHaveLength(1)

  const once = new FakeOrc().next(busy)
  const model = createDaisi(client(once), { maxRetries: 0 })('daisi-nano')
  await expect(model.doGenerate({ prompt })).rejects.toMatchObject({ status: 503 })
  expect(once.seen).toHaveLength(1)
})

test.for(['image', 'image/*', 'image/png'])('a file of type %s is an image', async (mediaType) => {
  const orc = new FakeOrc()
  const data = { type: 'data' as const, data: Uint8Array.of(1, 2, 255) }
  const file = { type: 'file' as const, mediaType, data }
  await createDaisi(client(orc))('daisi-nano').doGenerate({ prompt: [{ role: 'user', content: [file] }] })
  expect(orc.seen[0]?.body).toMatchObject({
    messages: [{ content: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AQL/' } }] }],
  })
})
