import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { MODEL_PATH } from '../testing/model.ts'
import { factsOf } from './known-facts.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'daisi-facts-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

test('a file is looked at once for each way to load it, and again where what is remembered is broken', async () => {
  const load = { modelPath: MODEL_PATH, slots: 2, gpu: false, memoryBytes: 1e9, vramBytes: 0 }
  const never = new AbortController().signal
  const facts = await factsOf(folder, 'a'.repeat(64), load, never)
  expect(facts).toMatchObject({ slots: 2, kinds: ['chat', 'completion', 'embedding'] })
  // From memory: there is no such file.
  const elsewhere = { ...load, modelPath: join(folder, 'gone.gguf') }
  expect(await factsOf(folder, 'a'.repeat(64), elsewhere, never)).toEqual(facts)
  for (const [hash, changed] of [
    ['b'.repeat(64), elsewhere],
    ['a'.repeat(64), { ...elsewhere, slots: 3 }],
  ] as const)
    await expect(factsOf(folder, hash, changed, never)).rejects.toMatchObject({ code: 'model_unusable' })
  await writeFile(join(folder, 'model-facts.json'), '{')
  await expect(factsOf(folder, 'a'.repeat(64), elsewhere, never)).rejects.toMatchObject({
    code: 'model_unusable',
  })
})
