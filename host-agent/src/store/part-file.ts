import { createHash } from 'node:crypto'
import { type FileHandle, open, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { count, sha256Hex } from '@daisi/protocol'
import * as z from 'zod'
import { readJsonFile, syncFolder, writeJsonFile } from '../state/json-file.ts'
import { Coverage } from './coverage.ts'
import { diskError } from './disk-space.ts'
import { DownloadError, interrupted } from './download-error.ts'

/** By what a part is recognised as one of the same file. */
export interface ContentIdentity {
  readonly sizeBytes: number
  readonly sha256?: string | undefined
  readonly validator?: string | undefined
}

const partState = z.object({
  sizeBytes: count,
  sha256: sha256Hex.optional(),
  validator: z.string().optional(),
  /** Start and end of what is on disk. */
  ranges: z.array(z.tuple([count, count])).max(10_000),
})

const HASH_BUFFER_BYTES = 1024 * 1024

/** More than a note takes. */
const NOTE_ROOM_BYTES = 64 * 1024

/**
 * A file that is not whole yet: `NAME.part`, with `NAME.part.json` that says which bytes are on disk. The latter is written
 * after the bytes are, so that a process or a machine may stop at any line. Methods throw a `DownloadError`.
 */
export class PartFile {
  readonly path: string
  readonly #finalPath: string
  readonly #identity: ContentIdentity
  readonly #file: FileHandle
  readonly #saveEveryMs: number
  #coverage: Coverage
  #saving: Promise<void> | undefined
  #nextSave: NodeJS.Timeout | undefined
  #failure: unknown
  #closed = false

  private constructor(
    finalPath: string,
    identity: ContentIdentity,
    coverage: Coverage,
    file: FileHandle,
    saveEveryMs: number,
  ) {
    this.path = `${finalPath}.part`
    this.#finalPath = finalPath
    this.#identity = identity
    this.#coverage = coverage
    this.#file = file
    this.#saveEveryMs = saveEveryMs
  }

  /** Goes on with what is there of the same content, or starts anew. */
  static async open(finalPath: string, identity: ContentIdentity, saveEveryMs: number): Promise<PartFile> {
    const path = `${finalPath}.part`
    try {
      await removeTemporaries(path)
      const coverage = await coverageOf(path, identity)
      if (coverage === undefined)
        await Promise.all([rm(path, { force: true }), rm(`${path}.json`, { force: true })])
      const file = await open(path, coverage === undefined ? 'wx+' : 'r+', 0o600)
      return new PartFile(finalPath, identity, coverage ?? new Coverage(), file, saveEveryMs)
    } catch (error) {
      throw diskError(dirname(path), error)
    }
  }

  get coverage(): Coverage {
    return this.#coverage
  }

  async write(position: number, bytes: Uint8Array): Promise<void> {
    try {
      for (let done = 0; done < bytes.length;) {
        const { bytesWritten } = await this.#file.write(bytes, done, bytes.length - done, position + done)
        this.#coverage.add(position + done, position + done + bytesWritten)
        done += bytesWritten
      }
      if (this.#failure !== undefined) throw this.#failure
    } catch (error) {
      throw diskError(dirname(this.path), error)
    }
    this.#nextSave ??= setTimeout(() => {
      this.save().catch((error: unknown) => {
        this.#failure = error
      })
    }, this.#saveEveryMs)
  }

  /** Forgets what is there: a server that only sends the whole begins anew. */
  restart(): void {
    this.#coverage = new Coverage()
  }

  /** Notes on disk what is on disk. */
  async save(): Promise<void> {
    while (this.#saving !== undefined) await this.#saving.catch(() => {})
    if (this.#closed) return
    clearTimeout(this.#nextSave)
    this.#nextSave = undefined
    this.#saving = this.#save()
    try {
      await this.#saving
    } finally {
      this.#saving = undefined
    }
  }

  /** As `save`, when nothing is written any more. On a full disk a little of what arrived makes room for the note. */
  async saveLast(): Promise<void> {
    try {
      await this.save()
    } catch (error) {
      if (!(error instanceof DownloadError) || error.code !== 'not_enough_disk') throw error
      const end = Math.max(0, (this.#coverage.ranges.at(-1)?.end ?? 0) - NOTE_ROOM_BYTES)
      this.#coverage.removeFrom(end)
      await this.#file.truncate(end)
      await this.save()
    }
  }

  /** The SHA-256 of the whole file. `onProgress` hears how many bytes are read. */
  async hash(signal: AbortSignal, onProgress: (bytes: number) => void): Promise<string> {
    const hash = createHash('sha256')
    const buffer = Buffer.allocUnsafe(HASH_BUFFER_BYTES)
    try {
      for (let position = 0; position < this.#identity.sizeBytes;) {
        if (signal.aborted) throw interrupted()
        const { bytesRead } = await this.#file.read(buffer, 0, buffer.length, position)
        if (bytesRead === 0) throw new Error('the file ends early')
        hash.update(buffer.subarray(0, bytesRead))
        position += bytesRead
        onProgress(position)
      }
    } catch (error) {
      throw diskError(dirname(this.path), error)
    }
    return hash.digest('hex')
  }

  /** Gives the whole file its name. */
  async finish(): Promise<void> {
    try {
      await this.#file.sync()
      await this.close()
      await rename(this.path, this.#finalPath)
      await syncFolder(dirname(this.path))
      await rm(`${this.path}.json`, { force: true })
    } catch (error) {
      throw diskError(dirname(this.path), error)
    }
  }

  /** Deletes everything of it. */
  async discard(): Promise<void> {
    await this.close()
    await rm(`${this.path}.json`, { force: true })
    await rm(this.path, { force: true })
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#nextSave)
    while (this.#saving !== undefined) await this.#saving.catch(() => {})
    await this.#file.close()
  }

  async #save(): Promise<void> {
    const ranges = this.#coverage.ranges.map(({ start, end }) => [start, end])
    try {
      await this.#file.datasync()
      await writeJsonFile(`${this.path}.json`, { ...this.#identity, ranges })
    } catch (error) {
      throw diskError(dirname(this.path), error)
    }
  }
}

/** What is on disk of exactly this content; undefined if nothing can be used. */
async function coverageOf(path: string, identity: ContentIdentity): Promise<Coverage | undefined> {
  // A broken note only costs the bytes it would have saved.
  const stored = await readJsonFile(`${path}.json`, partState).catch(() => undefined)
  const size = await sizeOf(path)
  if (stored === undefined || size === undefined || !isSameContent(stored, identity)) return undefined
  const coverage = new Coverage(stored.ranges.map(([start, end]) => ({ start, end })))
  coverage.removeFrom(Math.min(size, identity.sizeBytes))
  return coverage
}

/** A hash decides alone: servers of one file may differ in the rest. Without anything to compare, nothing is the same. */
function isSameContent(stored: ContentIdentity, now: ContentIdentity): boolean {
  if (stored.sizeBytes !== now.sizeBytes) return false
  if (stored.sha256 !== undefined && now.sha256 !== undefined) return stored.sha256 === now.sha256
  return stored.validator !== undefined && stored.validator === now.validator
}

async function sizeOf(path: string): Promise<number | undefined> {
  const file = await open(path).catch(() => undefined)
  if (file === undefined) return undefined
  try {
    return (await file.stat()).size
  } finally {
    await file.close()
  }
}

/** What `writeJsonFile` left behind when its process was killed. */
async function removeTemporaries(path: string): Promise<void> {
  const prefix = `${basename(path)}.json.`
  const names = await readdir(dirname(path))
  const left = names.filter((name) => name.startsWith(prefix) && name.endsWith('.tmp'))
  await Promise.all(left.map((name) => rm(join(dirname(path), name), { force: true })))
}
