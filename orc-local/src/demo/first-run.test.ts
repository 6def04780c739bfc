import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { acquireLock } from '../lock-file.ts'
import { fakeManageServer } from '../testing/fake-manage-server.ts'
import { temporaryFolder } from '../testing/temporary-folder.ts'
import { type DemoFolder, openDemoState, settleAddress } from './demo-state.ts'
import { completeFirstRun } from './first-run.ts'

async function demoFolder(): Promise<DemoFolder> {
  const dir = await temporaryFolder()
  return { dir, orcDir: join(dir, 'orc'), hostDir: join(dir, 'host') }
}

test('a first run makes everything once; the next one reuses it', async () => {
  const folder = await demoFolder()
  const orc = await fakeManageServer()
  const first = await completeFirstRun(orc, await openDemoState(folder), false)
  expect(orc.posts).toEqual([
    '/api/setup',
    '/api/accounts',
    '/api/accounts',
    '/api/apps',
    '/api/apps/id-4/keys',
    '/api/host-enrolments',
  ])
  expect((await stat(join(folder.dir, 'demo.json'))).mode & 0o777).toBe(0o600)
  expect(await completeFirstRun(orc, await openDemoState(folder), false)).toEqual(first)
  expect(orc.posts).toHaveLength(6)
})

test('an enrolled Host needs no token; one whose folder is gone is enrolled anew', async () => {
  const folder = await demoFolder()
  const orc = await fakeManageServer()
  const state = await openDemoState(folder)
  const { enrolmentToken } = await completeFirstRun(orc, state, false)
  await state.add({ hostEnrolled: true })
  expect(await completeFirstRun(orc, state, true)).toMatchObject({ enrolmentToken: undefined })
  const again = await completeFirstRun(orc, state, false)
  expect(again.enrolmentToken).toBeDefined()
  expect(again.enrolmentToken).not.toBe(enrolmentToken)
  expect(await completeFirstRun(orc, state, true)).toEqual(again)
})

test('the demo’s Host forgets its Orc’s former address, and nothing while it stays', async () => {
  const folder = await demoFolder()
  await mkdir(join(folder.hostDir, 'orcs'), { recursive: true })
  await writeFile(join(folder.hostDir, 'identity.json'), '{}')
  const state = await openDemoState(folder)
  const known = join(folder.hostDir, 'orcs', 'orc.json')
  await settleAddress(folder, state, 'http://127.0.0.1:1')
  await mkdir(join(folder.hostDir, 'orcs'))
  await writeFile(known, '{}')
  await settleAddress(folder, state, 'http://127.0.0.1:1')
  expect(await readFile(known, 'utf8')).toBe('{}')
  await settleAddress(folder, state, 'http://127.0.0.1:2')
  expect(await readdir(folder.hostDir)).toEqual(['identity.json'])
})

test('an expired enrolment token is replaced', async () => {
  const folder = await demoFolder()
  const orc = await fakeManageServer()
  const state = await openDemoState(folder)
  await completeFirstRun(orc, state, false)
  await state.add({ enrolment: { token: 'old', expiresAt: Date.now() / 1000 } })
  expect(await completeFirstRun(orc, state, true)).toMatchObject({ enrolmentToken: 'enrol-7' })
})

test.each([2, 3, 4, 5, 6])('cut off in step %i, the first run goes on from there', async (step) => {
  const folder = await demoFolder()
  const orc = await fakeManageServer()
  orc.cutAt = step
  await expect(completeFirstRun(orc, await openDemoState(folder), false)).rejects.toThrow()
  orc.cutAt = undefined
  const cast = await completeFirstRun(orc, await openDemoState(folder), false)
  expect(cast.secretKey).toMatch(/^key-/)
  expect(orc.posts).toHaveLength(7)
})

test('cut off before the operator was saved, the Orc of that run is begun anew', async () => {
  const folder = await demoFolder()
  const orc = await fakeManageServer()
  orc.cutAt = 1
  const state = await openDemoState(folder)
  await mkdir(folder.orcDir)
  await writeFile(join(folder.orcDir, 'secrets.json'), 'of the lost run')
  await expect(completeFirstRun(orc, state, false)).rejects.toThrow()
  await openDemoState(folder)
  await expect(stat(folder.orcDir)).rejects.toMatchObject({ code: 'ENOENT' })
})

test('an Orc that still runs is not begun anew', async () => {
  const folder = await demoFolder()
  await openDemoState(folder)
  await mkdir(folder.orcDir)
  const lock = acquireLock(join(folder.orcDir, 'orc.lock'))
  await expect(openDemoState(folder)).rejects.toMatchObject({ code: 'state_locked' })
  expect(lock.ok).toBe(true)
  await stat(folder.orcDir)
})

test('an Orc that the demo did not begin is never touched', async () => {
  const folder = await demoFolder()
  await mkdir(folder.orcDir)
  await writeFile(join(folder.orcDir, 'secrets.json'), 'mine')
  const orc = await fakeManageServer()
  await completeFirstRun(orc, await openDemoState(folder), false)
  const other = await demoFolder()
  await mkdir(other.orcDir)
  for (let start = 0; start < 2; start++) {
    await expect(completeFirstRun(orc, await openDemoState(other), false)).rejects.toMatchObject({
      exitCode: 4,
    })
  }
  await stat(other.orcDir)
  expect(await readFile(join(folder.orcDir, 'secrets.json'), 'utf8')).toBe('mine')
})

test('a damaged demo.json is refused and left as it is', async () => {
  const folder = await demoFolder()
  await writeFile(join(folder.dir, 'demo.json'), '{"operator":')
  await expect(openDemoState(folder)).rejects.toMatchObject({ exitCode: 4 })
  expect(await readFile(join(folder.dir, 'demo.json'), 'utf8')).toBe('{"operator":')
})
