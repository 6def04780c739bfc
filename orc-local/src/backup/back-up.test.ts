import { EventEmitter, once } from 'node:events'
import { cp, mkdir, readdir, readFile, rename, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, vi } from 'vitest'
import type { RunningOrc } from '../orc/start-orc.ts'
import { call, test } from '../testing/orc-fixture.ts'
import { isStopped } from './freeze.ts'
import { type Backup, backUp } from './back-up.ts'

/** A backup to `dir/copy` that nobody interrupts. */
function copyOf(stateDir: string, dir: string, signal = new AbortController().signal): Promise<Backup> {
  return backUp({ stateDir, target: join(dir, 'copy'), signal })
}

/** Counts up, one after another, until told to stop. */
interface Counter {
  /** Resolves when so many were acknowledged. */
  readonly reached: (count: number) => Promise<void>
  /** Resolves with the last number that was acknowledged. */
  readonly stop: () => Promise<number>
}

function keepCounting(orc: RunningOrc): Counter {
  const events = new EventEmitter()
  const end = new AbortController()
  const counted = (async () => {
    let last = 0
    while (!end.signal.aborted) {
      last = Number(await call(orc, '/increment'))
      events.emit(String(last))
    }
    return last
  })()
  return {
    reached: async (count) => void (await once(events, String(count))),
    stop: () => {
      end.abort()
      return counted
    },
  }
}

/** A signal with something that happens in the middle of a copy: as it is looked at for the fifth time. */
function signalWith(happening: (controller: AbortController) => void): AbortSignal {
  const controller = new AbortController()
  const { signal } = controller
  let looks = 0
  vi.spyOn(signal, 'throwIfAborted').mockImplementation(() => {
    if (++looks === 5) happening(controller)
    if (signal.aborted) throw signal.reason
  })
  return signal
}

test('a copy of the folder of a stopped Orc is that Orc', async ({ start, options, dir }) => {
  const first = await start()
  const count = Number(await call(first, '/increment'))
  await first.stop()
  await cp(options.stateDir, join(dir, 'copy'), { recursive: true })
  const second = await start({ stateDir: join(dir, 'copy') })
  expect(second.setupToken).toBe(first.setupToken)
  expect(await call(second, '/increment')).toBe(count + 1)
})

test('so is a backup of it, which nobody else can read', async ({ start, options, dir }) => {
  const first = await start({ tls: 'self-signed' })
  const count = Number(await call(first, '/increment'))
  await first.stop()
  await writeFile(join(options.stateDir, 'orc.lock'), JSON.stringify({ pid: 2_147_483_646, birth: null }))
  const backup = await copyOf(options.stateDir, dir)
  expect(backup).toMatchObject({ dir: join(dir, 'copy'), pausedMs: undefined })
  const names = await readdir(backup.dir)
  expect(names.toSorted()).toEqual(['do', 'secrets.json', 'tls-certificate.pem', 'tls-key.pem'])
  const everything = await readdir(backup.dir, { recursive: true, withFileTypes: true })
  for (const entry of everything) {
    const { mode } = await stat(join(entry.parentPath, entry.name))
    expect(mode & 0o777).toBe(entry.isDirectory() ? 0o700 : 0o600)
  }
  expect((await stat(backup.dir)).mode & 0o777).toBe(0o700)
  expect(everything.filter((entry) => entry.isFile())).toHaveLength(backup.files)
  const second = await start({ stateDir: backup.dir, tls: 'self-signed' })
  expect(second.certificate?.pin).toBe(first.certificate?.pin)
  expect(await call(second, '/increment')).toBe(count + 1)
})

test.skipIf(process.platform === 'win32')(
  'a backup under load has everything that was acknowledged before it, and the Orc goes on',
  async ({ start, options, dir }) => {
    const orc = await start()
    const counter = keepCounting(orc)
    const before = 20
    await counter.reached(before)
    const backup = await copyOf(options.stateDir, dir)
    expect(backup.pausedMs).toBeGreaterThan(0)
    expect(isStopped(orc.pid)).toBe(false)
    const after = await counter.stop()
    const restored = await start({ stateDir: backup.dir })
    const found = Number(await call(restored, '/increment')) - 1
    expect(found).toBeGreaterThanOrEqual(before)
    expect(found).toBeLessThanOrEqual(after)
    expect(await call(orc, '/increment')).toBe(after + 1)
    expect((await readdir(options.stateDir)).filter((name) => name.startsWith('backup'))).toEqual([])
  },
)

test.skipIf(process.platform === 'win32')(
  'when a backup fails or is interrupted, the Orc goes on and nothing is left',
  async ({ start, options, dir }) => {
    const orc = await start()
    await symlink('/etc/hostname', join(options.stateDir, 'link'))
    await expect(copyOf(options.stateDir, dir)).rejects.toMatchObject({ code: 'backup_failed' })
    await rename(join(options.stateDir, 'link'), join(dir, 'link'))
    await expect(copyOf(options.stateDir, dir, AbortSignal.abort())).rejects.toMatchObject({
      code: 'backup_failed',
    })
    expect(await readdir(dir)).not.toContainEqual(expect.stringMatching(/^copy/))
    expect(await call(orc, '/increment')).toBe(1)
    expect(await copyOf(options.stateDir, dir)).toMatchObject({ dir: join(dir, 'copy') })
  },
)

test.skipIf(process.platform === 'win32')(
  'an interruption in the middle of the copy wakes the Orc at once',
  async ({ start, options, dir }) => {
    const orc = await start()
    await call(orc, '/increment')
    const stopped: boolean[] = []
    const signal = signalWith((controller) => {
      stopped.push(isStopped(orc.pid))
      controller.abort()
      stopped.push(isStopped(orc.pid))
    })
    await expect(copyOf(options.stateDir, dir, signal)).rejects.toMatchObject({ code: 'backup_failed' })
    expect(stopped).toEqual([true, false])
    expect(await readdir(dir)).not.toContainEqual(expect.stringMatching(/^copy/))
    expect(await call(orc, '/increment')).toBe(2)
  },
)

test.skipIf(process.platform === 'win32')(
  'an Orc that ends in the middle of the copy, or is woken, leaves no backup',
  async ({ start, options, dir }) => {
    for (const name of ['SIGCONT', 'SIGKILL'] as const) {
      const orc = await start()
      await call(orc, '/increment')
      const signal = signalWith(() => process.kill(orc.pid, name))
      await expect(copyOf(options.stateDir, dir, signal)).rejects.toMatchObject({ code: 'backup_failed' })
      expect(await readdir(dir)).not.toContainEqual(expect.stringMatching(/^copy/))
      await orc.kill()
    }
  },
)

test('a target that holds something, or lies in the state folder, is refused', async ({
  start,
  options,
  dir,
}) => {
  await (await start()).stop()
  const attempt = (target: string): Promise<Backup> =>
    backUp({ stateDir: options.stateDir, target, signal: new AbortController().signal })
  await mkdir(join(dir, 'full'))
  await writeFile(join(dir, 'full/file'), 'mine')
  await symlink(options.stateDir, join(dir, 'link'))
  for (const target of [
    join(dir, 'full'),
    join(dir, 'full/file'),
    options.stateDir,
    join(options.stateDir, 'new'),
    join(dir, 'link/do/new'),
  ])
    await expect(attempt(target)).rejects.toMatchObject({ code: 'backup_target_unusable' })
  expect(await readFile(join(dir, 'full/file'), 'utf8')).toBe('mine')
  expect(await readdir(options.stateDir)).not.toContain('new')
  await mkdir(join(dir, 'empty'))
  expect(await attempt(join(dir, 'empty'))).toMatchObject({ dir: join(dir, 'empty') })
})

test('an Orc whose workerd is not known by more than a number is not paused', async ({
  start,
  options,
  dir,
}) => {
  const orc = await start()
  const note = join(options.stateDir, 'workerd.json')
  const known = await readFile(note, 'utf8')
  await writeFile(note, JSON.stringify({ pid: orc.pid, birth: null }))
  await expect(copyOf(options.stateDir, dir)).rejects.toMatchObject({ code: 'backup_unsupported' })
  await writeFile(note, JSON.stringify({ pid: orc.pid, birth: 'another boot/1' }))
  await expect(copyOf(options.stateDir, dir)).rejects.toMatchObject({ code: 'state_locked' })
  expect(await call(orc, '/health')).toEqual({ ok: true })
  await writeFile(note, known)
  await orc.stop()
  expect(await readdir(options.stateDir)).not.toContain('workerd.json')
})

test('one backup at a time', async ({ start, options, dir }) => {
  await (await start()).stop()
  const results = await Promise.allSettled([
    copyOf(options.stateDir, join(dir, 'a')),
    copyOf(options.stateDir, join(dir, 'b')),
  ])
  expect(results.map((result) => result.status).toSorted()).toEqual(['fulfilled', 'rejected'])
})
