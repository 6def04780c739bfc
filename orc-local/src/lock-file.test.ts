import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { acquireLock } from './lock-file.ts'
import { identify, isAlive } from './process-identity.ts'
import { temporaryFolder } from './testing/temporary-folder.ts'

test('one holder at a time, and nothing left behind', async () => {
  const dir = await temporaryFolder()
  const path = join(dir, 'x.lock')
  const first = acquireLock(path)
  expect(acquireLock(path)).toEqual({ ok: false, holderPid: process.pid })
  if (first.ok) first.release()
  const second = acquireLock(path)
  if (first.ok) first.release()
  expect(acquireLock(path)).toMatchObject({ ok: false })
  if (second.ok) second.release()
  expect(await readdir(dir)).toEqual([])
})

test.each([
  ['of a process that is gone', JSON.stringify({ pid: 2_147_483_646, birth: null })],
  ['of a namesake of this process', JSON.stringify({ pid: process.pid, birth: 'another boot/1' })],
  ['that is empty', ''],
  ['that is no lock', '{"pid":0}'],
])('a lock file %s is taken over', async (_, content) => {
  const dir = await temporaryFolder()
  await writeFile(join(dir, 'x.lock'), content)
  expect(acquireLock(join(dir, 'x.lock'))).toMatchObject({ ok: true })
  expect(await readdir(dir)).toEqual(['x.lock'])
})

test('a process is known by its birth too', () => {
  const self = identify(process.pid)
  expect(isAlive(self)).toBe(true)
  if (self.birth !== null) expect(isAlive({ ...self, birth: 'another boot/1' })).toBe(false)
})
