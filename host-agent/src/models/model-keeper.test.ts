import { stat } from 'node:fs/promises'
import { catalogueEntry } from '@daisi/protocol'
import { expect, test } from 'vitest'
import { systemClock } from '../clock.ts'
import { createLogger } from '../log.ts'
import { ModelRegistry } from '../store/model-registry.ts'
import { DONE } from '../outcome.ts'
import { StoreSetup } from '../store/testing/store-setup.ts'
import { MODEL_PATH } from '../testing/model.ts'
import { ScriptedEngine } from '../testing/scripted-engine.ts'
import { scriptedSource } from '../testing/test-workbench.ts'
import { ModelKeeper, MOST_FROM_AFAR } from './model-keeper.ts'
import { ModelShelf } from './model-shelf.ts'

const ORC = 'http://127.0.0.1:1'

test('only so many models are on their way at once because an Orc asked for them', async () => {
  await using store = await StoreSetup.start()
  // A server that never says anything.
  store.server.answer = () => {}
  const { stateFolder, folder: modelsFolder } = store
  const hub = { endpoint: store.server.origin, token: undefined }
  const models = Array.from({ length: MOST_FROM_AFAR + 1 }, (_, index) =>
    catalogueEntry.parse({
      id: `model-${index}`,
      name: 'A model',
      sha256: String(index).repeat(64),
      sizeBytes: 3_000_000,
      url: `hf:maker/model/${index}.gguf`,
      contextLength: 2_048,
      licence: 'MIT',
      kinds: ['chat'],
    }),
  )
  const logger = createLogger('silent', 'none')
  const keeper = new ModelKeeper({
    shelf: new ModelShelf({ budgetBytes: () => 0, residenceMs: 0, clock: systemClock, logger }),
    store: { registry: new ModelRegistry(stateFolder), stateFolder, modelsFolder, hub },
    createSource: () => Promise.reject(new Error('nothing is ever there')),
    readCatalogue: () => Promise.resolve({ models }),
    orcUrls: [ORC],
    logger,
  })
  const begun = []
  for (const { id, sha256 } of models) begun.push(await keeper.beginAddFromCatalogue(ORC, { id, sha256 }))
  expect(begun.slice(0, -1).every(({ ok }) => ok)).toBe(true)
  expect(begun.at(-1)).toMatchObject({ ok: false, code: 'too_many_downloads' })
  await keeper.close()
  const [{ id, sha256 }] = models as [(typeof models)[number]]
  expect((await keeper.beginAddFromCatalogue(ORC, { id, sha256 })).ok).toBe(true)
})

test('only what was added can be removed, by any of its names', async () => {
  await using store = await StoreSetup.start()
  const { stateFolder, folder: modelsFolder } = store
  const registry = new ModelRegistry(stateFolder)
  const logger = createLogger('silent', 'none')
  const shelf = new ModelShelf({ budgetBytes: () => 0, residenceMs: 0, clock: systemClock, logger })
  const hub = { endpoint: store.server.origin, token: undefined }
  const keeper = new ModelKeeper({
    shelf,
    store: { registry, stateFolder, modelsFolder, hub },
    createSource: async ({ id, aliases }) =>
      scriptedSource(new ScriptedEngine(), { id, aliases: [...aliases] }),
    readCatalogue: () => Promise.resolve({ models: [] }),
    orcUrls: [],
    logger,
  })
  const reference = { source: 'file', path: MODEL_PATH } as const
  const { signal } = new AbortController()
  expect(await keeper.add({ reference, id: 'nano', aliases: ['small'] }, signal)).toMatchObject({ ok: true })
  shelf.add(scriptedSource(new ScriptedEngine(), { id: 'of-a-server' }))
  const remove = (name: string) => keeper.remove(name, { deleteFile: true })
  expect(await remove('of-a-server')).toMatchObject({ ok: false, code: 'not_added' })
  expect(await remove('nobody')).toMatchObject({ ok: false, code: 'unknown_model' })
  expect(await remove('small')).toEqual(DONE)
  expect(shelf.offers.map(({ id }) => id)).toEqual(['of-a-server'])
  expect(await registry.list()).toEqual([])
  // The owner's own file is never deleted.
  expect((await stat(MODEL_PATH)).isFile()).toBe(true)
})
