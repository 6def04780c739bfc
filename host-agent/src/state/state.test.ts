import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { MODEL_PATH } from '../testing/model.ts'
import { loadIdentity } from './identity.ts'
import { findModel, hashModel } from './model-file.ts'
import { OrcRecordFile } from './orc-record.ts'
import { removeStaleTemporaries } from './stale-temporaries.ts'

let root: string
let folder: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'daisi-state-'))
  folder = join(root, 'state')
})
afterEach(() => rm(root, { recursive: true, force: true }))

test('an identity is made once, and only its owner can read it', async () => {
  const first = await loadIdentity(folder)
  expect((await loadIdentity(folder)).hostId).toBe(first.hostId)
  expect((await stat(folder)).mode & 0o777).toBe(0o700)
  expect((await stat(join(folder, 'identity.json'))).mode & 0o777).toBe(0o600)
  expect(await readdir(folder)).toEqual(['identity.json'])
})

test.each([0o640, 0o604, 0o620])('an identity that others have access to (%o) is refused', async (mode) => {
  const path = join(folder, 'identity.json')
  await loadIdentity(folder)
  await chmod(path, mode)
  await expect(loadIdentity(folder)).rejects.toMatchObject({ code: 'state_exposed', exitCode: 3 })
  expect((await stat(path)).mode & 0o777).toBe(mode)
  await chmod(path, 0o600)
  await loadIdentity(folder)
})

test('a state folder that others can write to is refused, also before there is a key in it', async () => {
  await mkdir(folder)
  await chmod(folder, 0o777)
  await expect(loadIdentity(folder)).rejects.toMatchObject({ code: 'state_exposed', exitCode: 3 })
  expect(await readdir(folder)).toEqual([])
  await chmod(folder, 0o755)
  await loadIdentity(folder)
})

test.each(['{', '', '{"kty":"OKP"}', 'halves'])(
  'a broken identity (%j) is an error and stays as it is',
  async (text) => {
    const path = join(folder, 'identity.json')
    await loadIdentity(folder)
    const other = JSON.parse(await readFile(path, 'utf8')) as { x: string }
    const broken = text === 'halves' ? JSON.stringify({ ...other, x: 'A'.repeat(43) }) : text
    await writeFile(path, broken)
    await expect(loadIdentity(folder)).rejects.toMatchObject({ code: 'state_unusable', exitCode: 3 })
    expect(await readFile(path, 'utf8')).toBe(broken)
  },
)

test('what is known of an Orc survives, apart for each address', async () => {
  const url = 'https://orc.test/path'
  const record = await OrcRecordFile.open(folder, url)
  await Promise.all([
    record.update({ issuer: 'a' }),
    record.update({ lastCommand: 7 }),
    record.update({ paused: true }),
  ])
  const again = await OrcRecordFile.open(folder, url)
  expect(again.value).toMatchObject({ issuer: 'a', lastCommand: 7, paused: true, enrolled: false })
  expect((await OrcRecordFile.open(folder, 'https://orc.test')).value.lastCommand).toBe(-1)
})

test('a broken Orc file is an error', async () => {
  const record = await OrcRecordFile.open(folder, 'https://orc.test')
  await record.update({})
  const [name = ''] = await readdir(join(folder, 'orcs'))
  await writeFile(join(folder, 'orcs', name), '{"url":1}')
  await expect(OrcRecordFile.open(folder, 'https://orc.test')).rejects.toMatchObject({ exitCode: 3 })
})

test('a model that is missing, a folder, or no GGUF is refused', async () => {
  await writeFile(join(root, 'text.gguf'), 'hello')
  for (const path of [join(root, 'none.gguf'), root, join(root, 'text.gguf')])
    await expect(findModel(path)).rejects.toMatchObject({ code: 'model_unusable', exitCode: 4 })
})

test('a model is hashed once, and again when it changed', async () => {
  const model = await findModel(MODEL_PATH)
  const sha256 = await hashModel(folder, model)
  expect(sha256).toMatch(/^[0-9a-f]{64}$/)
  const cache = join(folder, 'model-hashes.json')
  const forged = (await readFile(cache, 'utf8')).replace(sha256, 'f'.repeat(64))
  await writeFile(cache, forged)
  expect(await hashModel(folder, model)).toBe('f'.repeat(64))
  expect(await hashModel(folder, { ...model, modifiedMs: model.modifiedMs + 1 })).toBe(sha256)
})

test('what a killed write left behind is removed when it is old, and nothing else', async () => {
  await loadIdentity(folder)
  const orcs = join(folder, 'orcs')
  await mkdir(orcs)
  const stale = [
    join(folder, 'identity.json.0123456789ab.tmp'),
    join(orcs, 'orc.test-89abcdef.json.ba9876543210.tmp'),
  ]
  const others = [
    'identity.json.0123456789ab.tmp~',
    'identity.json.0123456789AB.tmp',
    'notes.tmp',
    'a.json.0123.tmp',
  ]
  const kept = others.map((name) => join(folder, name))
  const young = join(folder, 'identity.json.ffffffffffff.tmp')
  for (const path of [...stale, ...kept, young]) await writeFile(path, 'part')
  for (const path of [...stale, ...kept, join(folder, 'identity.json')]) await utimes(path, 1, 1)
  await removeStaleTemporaries(folder)
  expect((await readdir(folder)).toSorted()).toEqual(
    [...others, 'identity.json', 'identity.json.ffffffffffff.tmp', 'orcs'].toSorted(),
  )
  expect(await readdir(orcs)).toEqual([])
  await removeStaleTemporaries(join(root, 'missing'))
})
