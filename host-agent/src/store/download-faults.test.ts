import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, rm, utimes, watch, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { basename, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'
import { DownloadLock } from './download-lock.ts'
import { MODEL, sha256Of, StoreSetup } from './testing/store-setup.ts'

const SHA256 = sha256Of(MODEL)
const VICTIM = join(import.meta.dirname, 'testing/download-victim.ts')

/** A download in a process of its own. */
class Victim implements Disposable {
  readonly #child
  /** Where the model lies; undefined if the process was killed. */
  readonly path: Promise<string | undefined>

  constructor(setup: StoreSetup) {
    this.#child = spawn(process.execPath, [VICTIM, setup.url, setup.folder, setup.stateFolder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    this.path = text(this.#child.stdout).then((output) => output.trim() || undefined)
  }

  async kill(): Promise<void> {
    const exited = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await exited
  }

  [Symbol.dispose](): void {
    this.#child.kill('SIGKILL')
  }
}

/** Bytes that the note beside the part calls there. */
async function notedBytes(setup: StoreSetup): Promise<number> {
  const name = (await setup.files()).find((name) => name.endsWith('.part.json'))
  if (name === undefined) return 0
  const note = JSON.parse(await readFile(join(setup.folder, name), 'utf8')) as { ranges: [number, number][] }
  return note.ranges.reduce((sum, [start, end]) => sum + end - start, 0)
}

function fetched(setup: StoreSetup, from: number): number {
  return setup.server.downloads.slice(from).reduce((sum, { range }) => sum + range!.end - range!.start, 0)
}

describe('a process that is killed', () => {
  test('loses nothing that it noted: the next ones fetch the rest, once', async () => {
    await using setup = await StoreSetup.start()
    const { server } = setup
    // Four pieces are sent, and then nothing.
    server.answer = (request, response, number) => {
      if (number <= 4) server.send(request, response)
    }
    await mkdir(setup.folder)
    const changes = watch(setup.folder)
    using child = new Victim(setup)
    for await (const _ of changes) if ((await notedBytes(setup)) === 4 * 256 * 1024) break
    await child.kill()
    expect((await setup.files()).some((name) => name.endsWith('.lock'))).toBe(true)

    server.answer = (request, response) => server.send(request, response)
    const before = server.downloads.length
    using next = new Victim(setup)
    using other = new Victim(setup)
    const path = (await next.path)!
    expect(await other.path).toBe(path)
    expect(sha256Of(await readFile(path))).toBe(SHA256)
    expect(fetched(setup, before)).toBe(MODEL.length - 4 * 256 * 1024)
    expect(await setup.files()).toEqual([basename(path)])
  })
})

test('two downloads of one file in one process fetch it once', async () => {
  await using setup = await StoreSetup.start()
  const phases: string[] = []
  const [first, second] = await Promise.all([
    setup.download({ onProgress: ({ phase }) => phases.push(phase) }),
    setup.download({ onProgress: ({ phase }) => phases.push(phase) }),
  ])
  expect(first).toEqual(second)
  expect(fetched(setup, 0)).toBe(MODEL.length)
  expect(phases).toContain('waiting')
})

describe('a lock', () => {
  test.each([
    ['of a process that is gone is taken', { pid: 2 ** 22 + 1, host: hostname() }, 0, true],
    ['of a process that runs is not', { pid: process.pid, host: hostname() }, 0, false],
    ['of another machine is not', { pid: 2 ** 22 + 1, host: 'elsewhere' }, 0, false],
    ['of another machine that is silent is taken', { pid: 1, host: 'elsewhere' }, 120, true],
    ['that nobody signed is not, at first', undefined, 0, false],
    ['that nobody signed is taken later', undefined, 10, true],
  ])('%s', async (_, holder, ageSeconds, taken) => {
    await using setup = await StoreSetup.start()
    const path = join(setup.root, 'x.lock')
    await writeFile(path, holder === undefined ? '' : JSON.stringify({ ...holder, token: 'a' }))
    const then = new Date(Date.now() - ageSeconds * 1_000)
    await utimes(path, then, then)
    await using lock = await DownloadLock.take(path)
    expect(lock !== undefined).toBe(taken)
  })

  test('is one only, and is given back', async () => {
    await using setup = await StoreSetup.start()
    const path = join(setup.root, 'x.lock')
    const taken = await Promise.all(Array.from({ length: 8 }, () => DownloadLock.take(path)))
    const locks = taken.filter((lock) => lock !== undefined)
    expect(locks).toHaveLength(1)
    await locks[0]![Symbol.asyncDispose]()
    await using again = await DownloadLock.take(path)
    expect(again).toBeDefined()
  })
})

describe('an owner who stops it', () => {
  test('keeps what has arrived', async () => {
    await using setup = await StoreSetup.start()
    const { server } = setup
    const stop = new AbortController()
    server.answer = (request, response, number) => {
      if (number < 5) server.send(request, response)
      else if (number === 5) stop.abort()
    }
    const stopped = setup.download({ signal: stop.signal, settings: { connections: 1 } })
    await expect(stopped).rejects.toMatchObject({ code: 'interrupted' })
    expect((await setup.files()).some((name) => name.endsWith('.lock'))).toBe(false)

    server.answer = (request, response) => server.send(request, response)
    const before = server.downloads.length
    await setup.download()
    expect(fetched(setup, before)).toBe(MODEL.length - 4 * 256 * 1024)
  })

  test('while the hash is computed too', async () => {
    await using setup = await StoreSetup.start()
    const stop = new AbortController()
    const stopped = setup.download({
      signal: stop.signal,
      onProgress: ({ phase }) => phase === 'verifying' && stop.abort(),
    })
    await expect(stopped).rejects.toMatchObject({ code: 'interrupted' })
    const before = setup.server.downloads.length
    expect(await setup.download()).toMatchObject({ sha256: SHA256 })
    expect(fetched(setup, before)).toBe(0)
  })

  test('before it began', async () => {
    await using setup = await StoreSetup.start()
    await expect(setup.download({ signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'interrupted',
    })
    expect(setup.server.seen).toEqual([])
  })
})

describe('a disk', () => {
  test('with too little room is not begun to be filled', async () => {
    await using setup = await StoreSetup.start()
    const settings = { reserveBytes: Number.MAX_SAFE_INTEGER / 2 }
    await expect(setup.download({ settings })).rejects.toMatchObject({ code: 'not_enough_disk' })
    expect(setup.server.seen).toHaveLength(1)
    expect(await setup.files()).toEqual([])
  })

  test('that cannot be written to is told', async () => {
    await using setup = await StoreSetup.start()
    await writeFile(join(setup.root, 'models'), 'a file, not a folder')
    await expect(setup.download()).rejects.toMatchObject({ code: 'disk_failed' })
  })

  // A real small disk needs the right to mount one: on Linux, as root.
  test.skipIf(process.platform !== 'linux' || process.getuid?.() !== 0)(
    'that becomes full keeps what has arrived, and the download goes on when there is room',
    async () => {
      await using setup = await StoreSetup.start()
      await mkdir(setup.folder)
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m,mode=700', 'tmpfs', setup.folder])
      try {
        const filler = join(setup.folder, 'holiday.mkv')
        // The room is gone after the look at it, as if somebody else had taken it.
        let filled: Promise<void> | undefined
        setup.server.answer = async (request, response, number) => {
          if (number >= 1) await (filled ??= writeFile(filler, Buffer.alloc(2 * 1024 * 1024)))
          setup.server.send(request, response)
        }
        await expect(setup.download()).rejects.toMatchObject({ code: 'not_enough_disk' })
        await expect(setup.download()).rejects.toMatchObject({ code: 'not_enough_disk' })
        const noted = await notedBytes(setup)
        expect(noted).toBeGreaterThan(500_000)

        await rm(filler)
        const before = setup.server.downloads.length
        expect(await setup.download()).toMatchObject({ sha256: SHA256 })
        expect(fetched(setup, before)).toBe(MODEL.length - noted)
      } finally {
        execFileSync('umount', [setup.folder])
      }
    },
  )
})
