import { createHash } from 'node:crypto'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { hashModel } from '../state/model-file.ts'
import type { DownloadProgress } from './progress-meter.ts'
import { ModelServer } from './testing/model-server.ts'
import { MODEL, sha256Of, StoreSetup } from './testing/store-setup.ts'

const SHA256 = sha256Of(MODEL)
const PIECE = 256 * 1024

describe('a download', () => {
  test('comes in ranges at once, whole, for its owner only, and leaves nothing beside it', async () => {
    await using setup = await StoreSetup.start()
    const seen: DownloadProgress[] = []
    const held: (() => void)[] = []
    // Answers the first four when all of them are there.
    setup.server.answer = (request, response, number) => {
      if (number >= 1 && number <= 4) held.push(() => setup.server.send(request, response))
      else setup.server.send(request, response)
      if (number === 4) for (const answer of held) answer()
    }
    const model = await setup.download({ onProgress: (progress) => seen.push(progress) })
    expect(sha256Of(await readFile(model.path))).toBe(SHA256)
    expect(model).toMatchObject({ sha256: SHA256, sizeBytes: MODEL.length })
    expect(await setup.files()).toEqual([basename(model.path)])
    expect((await stat(model.path)).mode & 0o777).toBe(0o600)
    expect((await stat(setup.folder)).mode & 0o777).toBe(0o700)
    expect(setup.server.downloads).toHaveLength(Math.ceil(MODEL.length / PIECE))
    expect(held).toHaveLength(4)
    const ends = seen.filter(({ bytes, totalBytes }) => bytes === totalBytes).map(({ phase }) => phase)
    expect(new Set(ends)).toEqual(new Set(['downloading', 'verifying']))
    const downloading = seen.filter(({ phase }) => phase === 'downloading').map(({ bytes }) => bytes)
    expect(downloading).toEqual(downloading.toSorted((a, b) => a - b))
    expect(downloading[0]).toBe(0)
  })

  test('is not read again for its hash', async () => {
    await using setup = await StoreSetup.start()
    const model = await setup.download()
    const cache = join(setup.stateFolder, 'model-hashes.json')
    await writeFile(cache, (await readFile(cache, 'utf8')).replace(SHA256, 'f'.repeat(64)))
    expect(await hashModel(setup.stateFolder, model)).toBe('f'.repeat(64))
  })

  test('that is there already is not fetched; with a hash, nobody is asked', async () => {
    await using setup = await StoreSetup.start()
    const first = await setup.download()
    const requests = setup.server.downloads.length
    expect(await setup.download()).toEqual(first)
    expect(setup.server.downloads).toHaveLength(requests)

    const pinned = await setup.download({ expectedSha256: SHA256 })
    const total = setup.server.seen.length
    expect(await setup.download({ expectedSha256: SHA256 })).toEqual(pinned)
    expect(setup.server.seen).toHaveLength(total)
  })

  test('that is there but damaged is fetched anew', async () => {
    await using setup = await StoreSetup.start()
    const { path } = await setup.download({ expectedSha256: SHA256 })
    const damaged = Buffer.from(MODEL)
    damaged[1_000_000]! ^= 1
    await writeFile(path, damaged)
    expect(await setup.download({ expectedSha256: SHA256 })).toMatchObject({ path, sha256: SHA256 })
    expect(sha256Of(await readFile(path))).toBe(SHA256)
  })

  test('of two models with the same name are two files', async () => {
    await using setup = await StoreSetup.start()
    const other = `${setup.server.origin}/other/nano.gguf`
    const first = await setup.download()
    const second = await setup.download({ reference: { source: 'url', url: other } })
    expect(await setup.files()).toHaveLength(2)
    expect(first.path).not.toBe(second.path)
  })

  test('works from a server that only sends the whole, also after it broke off', async () => {
    await using setup = await StoreSetup.start()
    const { server } = setup
    server.ranges = false
    const stop = { bytes: 2_000_000, when: setup.arrived(2_000_000) }
    server.answer = (request, response, number) =>
      server.send(request, response, number === 1 ? stop : undefined)
    expect(await setup.download()).toMatchObject({ sha256: SHA256 })
    expect(server.seen).toHaveLength(3)
  })
})

describe('a server that', () => {
  test('breaks off is asked for the rest only', async () => {
    await using setup = await StoreSetup.start()
    const { server } = setup
    server.answer = (request, response, number) => {
      const { start } = request.range!
      const stop = { bytes: 100_000, when: setup.arrived(start + 100_000) }
      server.send(request, response, number === 2 || number === 3 ? stop : undefined)
    }
    await setup.download({ settings: { connections: 1 } })
    expect(server.downloads.slice(0, 5).map(({ range }) => range)).toEqual([
      { start: 0, end: PIECE },
      { start: PIECE, end: 2 * PIECE },
      { start: PIECE + 100_000, end: 2 * PIECE },
      { start: PIECE + 200_000, end: 2 * PIECE },
      { start: 2 * PIECE, end: 3 * PIECE },
    ])
    expect(setup.waitsMs).toHaveLength(2)
  })

  test('keeps breaking off is given up, and the next attempt goes on', async () => {
    await using setup = await StoreSetup.start()
    const { server } = setup
    const limit = 1_000_000
    let sent = 0
    server.answer = (request, response, number) => {
      if (number === 0) return server.send(request, response)
      const { start, end } = request.range!
      const bytes = Math.min(limit - sent, end - start)
      sent += bytes
      server.send(request, response, bytes < end - start ? { bytes, when: setup.arrived(sent) } : undefined)
    }
    await expect(setup.download()).rejects.toMatchObject({ code: 'network_unreachable' })
    expect((await setup.files()).filter((name) => name.endsWith('.part'))).toHaveLength(1)
    expect((await setup.files()).some((name) => name.endsWith('.lock'))).toBe(false)

    server.answer = (request, response) => server.send(request, response)
    const before = server.downloads.length
    expect(await setup.download()).toMatchObject({ sha256: SHA256 })
    const second = server.downloads.slice(before)
    const fetched = second.reduce((sum, { range }) => sum + range!.end - range!.start, 0)
    expect(fetched).toBe(MODEL.length - limit)
  })

  test('waits between attempts, longer each time, or as long as it is asked to', async () => {
    await using setup = await StoreSetup.start()
    const { server } = setup
    const statuses = [500, 503, 429]
    server.answer = (request, response, number) => {
      const status = number === 0 ? undefined : statuses.shift()
      if (status === undefined) return server.send(request, response)
      server.refuse(response, status, status === 429 ? { 'retry-after': '7' } : {})
    }
    await setup.download({ settings: { connections: 1 } })
    expect(setup.waitsMs).toEqual([250, 500, 7_000])
  })

  test('is silent is given up', async () => {
    await using setup = await StoreSetup.start()
    setup.server.answer = () => {}
    const settings = { idleMs: 20, retries: 1 }
    await expect(setup.download({ settings })).rejects.toMatchObject({ code: 'network_unreachable' })
    expect(setup.server.seen).toHaveLength(2)
    expect(await setup.files()).toEqual([])
  })

  test.each([
    [404, 'model_not_found', 1],
    [410, 'model_not_found', 1],
    [401, 'access_denied', 1],
    [403, 'access_denied', 1],
    [400, 'server_failed', 1],
    [304, 'server_failed', 1],
    [503, 'server_failed', 3],
  ])('answers %i is a %s after %i requests', async (status, code, requests) => {
    await using setup = await StoreSetup.start()
    setup.server.answer = (_, response) => setup.server.refuse(response, status)
    await expect(setup.download()).rejects.toMatchObject({ code })
    expect(setup.server.seen).toHaveLength(requests)
  })

  test.each([
    ['has no model', { body: '<!doctype html>', headers: {} }, 'not_a_model'],
    ['is empty', { body: '', headers: {} }, 'not_a_model'],
    ['compresses', { body: 'GGUF', headers: { 'content-encoding': 'gzip' } }, 'server_failed'],
    ['names no size', { body: 'GGUF', headers: { 'transfer-encoding': 'chunked' } }, 'server_failed'],
  ])('%s is refused', async (_, { body, headers }, code) => {
    await using setup = await StoreSetup.start()
    setup.server.answer = (_, response) => {
      response.writeHead(200, headers).end(body)
    }
    await expect(setup.download()).rejects.toMatchObject({ code })
    expect(await setup.files()).toEqual([])
  })

  test('sends other bytes than asked for is not believed', async () => {
    await using setup = await StoreSetup.start()
    const { server } = setup
    server.answer = (request, response, number) => {
      const range = number === 0 ? request.range : { start: 0, end: PIECE }
      server.send({ ...request, range }, response)
    }
    await expect(setup.download()).rejects.toMatchObject({ code: 'server_failed' })
  })

  test.each([
    ['less', -1],
    ['more', 1],
  ])('sends %s than it says is given up', async (_, difference) => {
    await using setup = await StoreSetup.start()
    const { server } = setup
    server.answer = (request, response, number) => {
      if (number === 0) return server.send(request, response)
      const { start, end } = request.range!
      const headers = {
        etag: server.etag,
        'content-range': `bytes ${start}-${end - 1}/${MODEL.length}`,
        'content-length': end - start + difference,
      }
      response.writeHead(206, headers).end(Buffer.alloc(end - start + difference))
    }
    await expect(setup.download({ settings: { retries: 1 } })).rejects.toMatchObject({
      code: 'server_failed',
    })
  })

  test('cannot be reached is told, without what its address says after the question mark', async () => {
    await using setup = await StoreSetup.start()
    const gone = await ModelServer.start(MODEL)
    const url = `${gone.origin}/nano.gguf?signature=secret`
    await gone[Symbol.asyncDispose]()
    const error: unknown = await setup.download({ reference: { source: 'url', url } }).catch(String)
    await expect(setup.download({ reference: { source: 'url', url } })).rejects.toMatchObject({
      code: 'network_unreachable',
    })
    expect(error).toContain('/nano.gguf')
    expect(error).not.toContain('secret')
    expect(setup.waitsMs).toHaveLength(4)
  })
})

describe('a file that', () => {
  const newer = Buffer.concat([MODEL.subarray(0, 100), Buffer.alloc(MODEL.length - 100, 7)])

  /** Fetches a half, then fails. */
  async function half(setup: StoreSetup): Promise<void> {
    const { server } = setup
    server.answer = (request, response) =>
      request.range!.start > MODEL.length / 2 ? server.refuse(response, 400) : server.send(request, response)
    await expect(setup.download({ settings: { connections: 1 } })).rejects.toMatchObject({
      code: 'server_failed',
    })
    server.answer = (request, response) => server.send(request, response)
  }

  test('changed between two attempts is fetched anew', async () => {
    await using setup = await StoreSetup.start()
    await half(setup)
    Object.assign(setup.server, { content: newer, etag: '"second"' })
    expect((await setup.download()).sha256).toBe(sha256Of(newer))
  })

  test('has no ETag is fetched anew, since nothing says that it is the same', async () => {
    await using setup = await StoreSetup.start()
    setup.server.etag = undefined
    await half(setup)
    setup.server.content = newer
    expect((await setup.download()).sha256).toBe(sha256Of(newer))
  })

  test('is known by its hash goes on, whatever its ETag is', async () => {
    await using setup = await StoreSetup.start()
    const { server } = setup
    server.answer = (request, response) =>
      request.range!.start > MODEL.length / 2 ? server.refuse(response, 400) : server.send(request, response)
    const pinned = { expectedSha256: SHA256, settings: { connections: 1 } }
    await expect(setup.download(pinned)).rejects.toMatchObject({ code: 'server_failed' })
    server.answer = (request, response, number) => {
      server.etag = `"${number}"`
      server.send(request, response)
    }
    const before = server.downloads.length
    expect(await setup.download(pinned)).toMatchObject({ sha256: SHA256 })
    expect(server.downloads.length - before).toBeLessThan(MODEL.length / PIECE / 2 + 1)
  })

  test('changes during the download ends it, and nothing is kept', async () => {
    await using setup = await StoreSetup.start()
    const { server } = setup
    server.answer = (request, response, number) => {
      if (number === 5) Object.assign(server, { content: newer, etag: '"second"' })
      server.send(request, response)
    }
    await expect(setup.download()).rejects.toMatchObject({ code: 'server_changed' })
    expect(await setup.files()).toEqual([])
    expect((await setup.download()).sha256).toBe(sha256Of(newer))
  })

  test('has another hash than expected is deleted', async () => {
    await using setup = await StoreSetup.start()
    const expectedSha256 = 'a'.repeat(64)
    await expect(setup.download({ expectedSha256 })).rejects.toMatchObject({ code: 'hash_mismatch' })
    expect(await setup.files()).toEqual([])
  })

  test('the server itself says is another one is not even fetched', async () => {
    await using setup = await StoreSetup.start()
    const digest = createHash('sha256').update('other').digest('base64')
    setup.server.answer = (request, response) => {
      response.setHeader('repr-digest', `sha-512=:AAAA:, sha-256=:${digest}:`)
      setup.server.send(request, response)
    }
    const pinned = { expectedSha256: SHA256 }
    await expect(setup.download(pinned)).rejects.toMatchObject({ code: 'hash_mismatch' })
    expect(setup.server.seen).toHaveLength(1)
    // Nor is one that does not keep what its server says.
    await expect(setup.download()).rejects.toMatchObject({ code: 'hash_mismatch' })
    expect(await setup.files()).toEqual([])
  })

  test('has another size than expected is not even fetched', async () => {
    await using setup = await StoreSetup.start()
    await expect(setup.download({ expectedSizeBytes: 1 })).rejects.toMatchObject({ code: 'hash_mismatch' })
    expect(setup.server.seen).toHaveLength(1)
  })

  test('is noted wrongly is fetched anew', async () => {
    await using setup = await StoreSetup.start()
    await half(setup)
    const note = (await setup.files()).find((name) => name.endsWith('.part.json'))!
    await writeFile(join(setup.folder, note), '{"ranges":')
    expect(await setup.download()).toMatchObject({ sha256: SHA256 })
  })
})
