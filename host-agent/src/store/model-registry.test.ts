import { copyFile, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { type CatalogueEntry, catalogueEntry } from '@daisi/protocol'
import { describe, expect, test } from 'vitest'
import { MODEL_PATH } from '../testing/model.ts'
import { type AddedModel, addModel, type ModelOrder, type ModelStore, orderOf } from './add-model.ts'
import { parseModelReference } from './model-reference.ts'
import { ModelRegistry, type RegisteredModel } from './model-registry.ts'
import { MODEL, sha256Of, StoreSetup } from './testing/store-setup.ts'
import { verifyModel } from './verify-model.ts'

const SHA256 = sha256Of(MODEL)

function storeOf(setup: StoreSetup): ModelStore {
  return {
    registry: new ModelRegistry(setup.stateFolder),
    stateFolder: setup.stateFolder,
    modelsFolder: setup.folder,
    hub: { endpoint: setup.server.origin, token: undefined },
    downloadSettings: { reserveBytes: 0, wait: async () => {} },
  }
}

function add(setup: StoreSetup, text: string, order: Partial<ModelOrder> = {}): Promise<AddedModel> {
  const parsed = parseModelReference(text)
  if (!parsed.ok) throw new Error(parsed.message)
  return addModel({ reference: parsed.reference, ...order }, storeOf(setup), new AbortController().signal)
}

async function added(adding: Promise<AddedModel>): Promise<RegisteredModel> {
  const result = await adding
  if (!result.ok) throw new Error(result.message)
  return result.model
}

describe('a model that is added', () => {
  test('from a server lies in the folder and is remembered', async () => {
    await using setup = await StoreSetup.start()
    const model = await added(add(setup, setup.url, { aliases: ['small'], licence: 'MIT' }))
    expect(model).toMatchObject({
      id: 'nano',
      aliases: ['small'],
      reference: setup.url,
      sha256: SHA256,
      sizeBytes: MODEL.length,
      licence: 'MIT',
    })
    const { registry } = storeOf(setup)
    expect(await registry.list()).toEqual([model])
    expect(await registry.find('small')).toEqual(model)
    expect(await registry.find('large')).toBeUndefined()
    expect((await stat(join(setup.stateFolder, 'models.json'))).mode & 0o777).toBe(0o600)
    expect(await verifyModel(setup.stateFolder, model)).toMatchObject({
      ok: true,
      file: { path: model.path },
    })
  })

  test('from this machine stays where it is', async () => {
    await using setup = await StoreSetup.start()
    const model = await added(add(setup, MODEL_PATH))
    expect(model).toMatchObject({ id: 'daisi-nano', path: MODEL_PATH, sha256: SHA256 })
    expect(setup.server.seen).toEqual([])
    const { registry } = storeOf(setup)
    expect(await registry.remove('daisi-nano', setup.folder)).toMatchObject({ ok: true, file: 'elsewhere' })
    expect(sha256Of(await readFile(MODEL_PATH))).toBe(SHA256)
  })

  test('from a catalogue is exactly its file, under its names', async () => {
    await using setup = await StoreSetup.start()
    const entry: CatalogueEntry = catalogueEntry.parse({
      id: 'nano-chat',
      aliases: ['nano'],
      name: 'Nano',
      sha256: SHA256,
      sizeBytes: MODEL.length,
      url: 'hf:u/r/nano.gguf',
      contextLength: 512,
      licence: 'Apache-2.0',
      kinds: ['chat'],
      defaultSampling: { temperature: 0.5 },
    })
    const chosen = orderOf(entry)
    if (!chosen.ok) throw new Error(chosen.message)
    const signal = new AbortController().signal
    expect(await addModel(chosen.order, storeOf(setup), signal)).toMatchObject({
      ok: true,
      model: {
        id: 'nano-chat',
        aliases: ['nano'],
        sha256: SHA256,
        kinds: ['chat'],
        contextLength: 512,
        licence: 'Apache-2.0',
        defaultSampling: { temperature: 0.5 },
      },
    })
    const other = { ...chosen.order, id: 'other', aliases: [], expectedSha256: 'c'.repeat(64) }
    expect(await addModel(other, storeOf(setup), signal)).toMatchObject({ ok: false, code: 'hash_mismatch' })
    expect(await storeOf(setup).registry.list()).toHaveLength(1)
  })

  test('again is the same one, with what is known now', async () => {
    await using setup = await StoreSetup.start()
    await added(add(setup, setup.url))
    await added(add(setup, setup.url, { aliases: ['small'] }))
    await added(add(setup, setup.url, { expectedSha256: SHA256 }))
    expect(await storeOf(setup).registry.list()).toMatchObject([{ id: 'nano', aliases: [] }])
  })

  test.each([
    ['a taken id', { id: 'nano' }, 'name_taken'],
    ['a taken alias', { id: 'new', aliases: ['small'] }, 'name_taken'],
    ['an alias like an id', { id: 'new', aliases: ['nano'] }, 'name_taken'],
    ['one name twice', { id: 'new', aliases: ['new'] }, 'name_taken'],
    ['a bad id', { id: 'a b' }, 'bad_id'],
  ])('under %s is refused before anything is fetched', async (_, order, code) => {
    await using setup = await StoreSetup.start()
    await added(add(setup, MODEL_PATH, { id: 'nano', aliases: ['small'] }))
    expect(await add(setup, setup.url, order)).toMatchObject({ ok: false, code })
    expect(setup.server.seen).toEqual([])
  })

  test.each([
    ['does not exist', 'none.gguf', 'model_unusable'],
    ['is no model', 'text.gguf', 'model_unusable'],
  ])('and %s is refused', async (_, name, code) => {
    await using setup = await StoreSetup.start()
    await writeFile(join(setup.root, 'text.gguf'), 'hello')
    expect(await add(setup, join(setup.root, name))).toMatchObject({ ok: false, code })
  })

  test('from this machine with another hash is refused', async () => {
    await using setup = await StoreSetup.start()
    const order = { expectedSha256: 'a'.repeat(64) }
    expect(await add(setup, MODEL_PATH, order)).toMatchObject({ ok: false, code: 'hash_mismatch' })
  })

  test('from a repository is called after it and its quantization', async () => {
    await using setup = await StoreSetup.start()
    setup.server.answer = (request, response) => {
      if (request.path.startsWith('/v2/')) response.end('{"ggufFile":{"rfilename":"nano.q8.gguf"}}')
      else setup.server.send(request, response)
    }
    expect(await added(add(setup, 'hf:u/Nano-GGUF:Q8_0'))).toMatchObject({
      id: 'Nano-Q8_0',
      reference: 'hf:u/Nano-GGUF:Q8_0',
    })
    expect(await added(add(setup, 'hf:u/Nano-GGUF'))).toMatchObject({ id: 'Nano' })
    expect(await setup.files()).toHaveLength(1)
  })
})

describe('a model that is removed', () => {
  test('takes its file along, unless another one needs it', async () => {
    await using setup = await StoreSetup.start()
    const { registry } = storeOf(setup)
    const { path } = await added(add(setup, setup.url))
    await added(add(setup, setup.url, { id: 'twin' }))
    expect(await registry.remove('nano', setup.folder)).toMatchObject({ ok: true, file: 'in_use' })
    expect(await setup.files()).toEqual([basename(path)])
    expect(await registry.remove('twin', setup.folder)).toMatchObject({ ok: true, file: 'deleted' })
    expect(await setup.files()).toEqual([])
    expect(await registry.remove('twin', setup.folder)).toMatchObject({ ok: false, code: 'unknown_model' })
  })

  test('leaves its file if it is told to', async () => {
    await using setup = await StoreSetup.start()
    await added(add(setup, setup.url))
    const { registry } = storeOf(setup)
    expect(await registry.remove('nano', undefined)).toMatchObject({ ok: true, file: 'kept' })
    expect(await setup.files()).toHaveLength(1)
  })

  test('leaves a file that only seems to lie in the folder', async () => {
    await using setup = await StoreSetup.start()
    const { registry } = storeOf(setup)
    const outside = join(setup.root, 'models-of-mine')
    await mkdir(outside)
    await mkdir(setup.folder)
    await copyFile(MODEL_PATH, join(outside, 'mine.gguf'))
    await symlink(outside, join(setup.folder, 'link'))
    for (const path of [
      join(outside, 'mine.gguf'),
      join(setup.folder, 'link/mine.gguf'),
      join(setup.folder, '../models-of-mine/mine.gguf'),
    ]) {
      const model = await added(add(setup, MODEL_PATH))
      await registry.add({ ...model, id: 'mine', path })
      expect(await registry.remove('mine', setup.folder)).toMatchObject({ file: 'elsewhere' })
    }
    expect(sha256Of(await readFile(join(outside, 'mine.gguf')))).toBe(SHA256)
  })
})

describe('the registry', () => {
  test('that is broken is an error and stays as it is', async () => {
    await using setup = await StoreSetup.start()
    const path = join(setup.stateFolder, 'models.json')
    await mkdir(setup.stateFolder)
    await writeFile(path, '{"models":[{}]}')
    const { registry } = storeOf(setup)
    const broken = { code: 'state_unusable', exitCode: 3 }
    await expect(registry.list()).rejects.toMatchObject(broken)
    await expect(registry.remove('nano', undefined)).rejects.toMatchObject(broken)
    await expect(add(setup, MODEL_PATH)).rejects.toMatchObject(broken)
    expect(await readFile(path, 'utf8')).toBe('{"models":[{}]}')
  })

  test('takes changes one after the other, and no more than may be announced', async () => {
    await using setup = await StoreSetup.start()
    const model = await added(add(setup, MODEL_PATH))
    const models = Array.from({ length: 61 }, (_, index) => ({ ...model, id: `m${index}` }))
    await writeFile(join(setup.stateFolder, 'models.json'), JSON.stringify({ models }))
    const { registry } = storeOf(setup)
    const results = await Promise.all(['a', 'b', 'c', 'd'].map((id) => registry.add({ ...model, id })))
    expect(results.map(({ ok }) => ok)).toEqual([true, true, true, false])
    expect(results[3]).toMatchObject({ code: 'too_many_models' })
    expect(await registry.list()).toHaveLength(64)
  })
})

test('a model whose file changed or went is noticed', async () => {
  await using setup = await StoreSetup.start()
  const model = await added(add(setup, setup.url))
  const other = Buffer.from(MODEL)
  other[2_000_000]! ^= 1
  await writeFile(model.path, other)
  expect(await verifyModel(setup.stateFolder, model)).toMatchObject({ ok: false, code: 'model_changed' })
  await writeFile(model.path, MODEL.subarray(0, 1_000_000))
  expect(await verifyModel(setup.stateFolder, model)).toMatchObject({ ok: false, code: 'model_changed' })
  const gone = { ...model, path: join(setup.root, 'gone.gguf') }
  expect(await verifyModel(setup.stateFolder, gone)).toMatchObject({ ok: false, code: 'model_unusable' })
})
