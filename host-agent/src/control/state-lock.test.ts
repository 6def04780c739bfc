import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { isStateLocked, StateLock } from './state-lock.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'daisi-lock-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

test('the lock of a state folder is held by one agent, in one process or another, until it ends, also by kill -9', async () => {
  const child = spawn(process.execPath, [join(import.meta.dirname, '../testing/lock-holder.ts'), folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(createInterface({ input: child.stdout }), 'line')
  const refused = StateLock.acquire(folder)
  await expect(refused).rejects.toMatchObject({ code: 'already_running', exitCode: 9 })
  await expect(refused).rejects.toThrow(String(child.pid))
  expect(await isStateLocked(folder)).toBe(true)
  child.kill('SIGKILL')
  await once(child, 'exit')
  expect(await isStateLocked(folder)).toBe(false)
  const contenders = await Promise.allSettled([1, 2, 3, 4].map(() => StateLock.acquire(folder)))
  const locks = contenders.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  expect(locks).toHaveLength(1)
  expect(await readFile(join(folder, 'agent.pid'), 'utf8')).toBe(`${process.pid}\n`)
  expect((await stat(join(folder, 'agent.lock'))).mode & 0o777).toBe(0o600)
  expect(await isStateLocked(folder)).toBe(true)
  // Whoever looked has not taken the lock away from its holder.
  await expect(StateLock.acquire(folder)).rejects.toMatchObject({ code: 'already_running' })
  await locks[0]!.release()
  await (await StateLock.acquire(folder)).release()
})

test('a folder that cannot be locked is said to be so', async () => {
  await writeFile(join(folder, 'file'), '')
  await expect(StateLock.acquire(join(folder, 'file'))).rejects.toMatchObject({ exitCode: 3 })
  await mkdir(join(folder, 'agent.lock'))
  await expect(StateLock.acquire(folder)).rejects.toMatchObject({ code: 'state_unusable', exitCode: 3 })
})
