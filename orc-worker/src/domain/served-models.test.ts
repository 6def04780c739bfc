import { expect, test } from 'vitest'
import { type ServedModel, type ServingHost, modelNamed, servedModels } from './served-models.ts'

const serving = (hostId: string, ...models: Partial<ServedModel>[]): ServingHost => ({
  hostId,
  models: models.map((model) => ({
    id: 'm',
    contextLength: 10,
    kinds: ['chat'],
    capabilities: [],
    state: 'loaded',
    ...model,
  })),
})

test('[G7] a model is listed once, with what all its Hosts can do', () => {
  const hosts = [
    serving('a', { aliases: ['z', 'b'], capabilities: ['tools', 'seed', 'seed', 'made-up'] }),
    serving('b', {
      contextLength: 99,
      kinds: ['tool', 'completion', 'chat'],
      capabilities: ['tools'],
      state: 'unloaded',
    }),
    // In another Network too.
    serving('a', { aliases: ['z', 'b'], capabilities: ['tools', 'seed'] }),
  ]
  expect(servedModels(hosts)).toEqual([
    {
      id: 'm',
      object: 'model',
      created: 0,
      owned_by: 'daisi',
      aliases: ['b', 'z'],
      context_length: 99,
      kinds: ['chat', 'completion'],
      capabilities: { seed: 1, tools: 2 },
      hosts_online: 2,
      hosts_loaded: 1,
    },
  ])
})

test('[G7] models come in the order of their ids, and are found by id before alias', () => {
  const models = servedModels([serving('a', { id: 'x', aliases: ['b', 'q'] }, { id: 'b' }, { id: 'a/b' })])
  expect(models.map(({ id }) => id)).toEqual(['a/b', 'b', 'x'])
  const found = ['b', 'q', 'a/b', 'none'].map((name) => modelNamed(models, name)?.id)
  expect(found).toEqual(['b', 'x', 'a/b', undefined])
})
