import type { ImageList } from '@daisi/protocol'
import { expect, test } from 'vitest'
import { SERVES_IMAGES, generate, image, sendParts, sendWithin, take } from './support/images.ts'
import { newEnrolment } from './support/orc.ts'
import { newScene } from './support/scene.ts'
import { newHost } from './support/test-host.ts'

test('a large image leaves while it comes, at the pace of its reader', async () => {
  const scene = await newScene()
  const model = `${scene.model}-images`
  const { token } = await newEnrolment(scene.consumer)
  const own = { ...scene, model, host: await newHost(token, { ...SERVES_IMAGES, model }) }
  const answer = generate(own, { size: '2048x2048' })
  const { run, tokens } = await take(own)
  const whole = image('large', 4_000_000)
  const parts = whole.match(/.{1,60000}/g)!.map((text) => ({ text }))
  const sending = sendWithin(own, run, parts)
  const reader = (await answer).body!.getReader()
  const texts: string[] = []
  const read = async (): Promise<boolean> => {
    const { value, done } = await reader.read()
    if (value !== undefined) texts.push(new TextDecoder().decode(value))
    return done
  }
  // The end of the image has not come.
  while (!texts.join('').includes('"b64_json":"')) await read()
  const finished = (async () => {
    while (!(await read()));
  })()
  await sending
  sendParts(own, run, [{ text: '', tokens }], parts.length)
  await own.host.end(run, { promptTokens: 0, cachedTokens: 0, generatedTokens: tokens })
  await finished
  const { data, output_format: format } = JSON.parse(texts.join('')) as ImageList
  expect(format).toBe('png')
  expect(data[0]?.b64_json === whole).toBe(true)
})
