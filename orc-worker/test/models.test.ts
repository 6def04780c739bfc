import { modelAnswer, modelListAnswer } from '@daisi/protocol'
import { expect, test } from 'vitest'
import { call, newKey } from './support/orc.ts'
import { newScene } from './support/scene.ts'

test('[G7] a model is found by its id, with slashes or %2F, and by its alias', async () => {
  const offer = {
    id: 'maker/nano:q4',
    aliases: ['nano'],
    kinds: ['chat', 'embedding'],
    capabilities: ['tools'],
  }
  const { key } = await newScene({ offer: { ...offer, kinds: ['chat', 'embedding'] } })
  for (const path of ['maker/nano:q4', 'maker%2Fnano%3Aq4', 'nano']) {
    const response = await call('GET', `/v1/models/${path}`, { token: key.key })
    expect(response.status).toBe(200)
    const found = modelAnswer.parse(await response.json())
    expect(found).toMatchObject({ id: 'maker/nano:q4', aliases: ['nano'], capabilities: { tools: 1 } })
  }
})

test('[G7] a key for some models is shown these, under whatever name it has them', async () => {
  const scene = await newScene({ offer: { id: 'known', aliases: ['friend'] } })
  await newScene({ offer: { id: 'other' } })
  const listed = async (models: string[]): Promise<string[]> => {
    const { key } = await newKey(scene.consumer, { models })
    const response = await call('GET', '/v1/models', { token: key })
    return modelListAnswer.parse(await response.json()).data.map(({ id }) => id)
  }
  expect(await listed(['friend'])).toEqual(['known'])
  expect(await listed(['known', 'absent'])).toEqual(['known'])
})
