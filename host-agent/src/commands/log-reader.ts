import { watch } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

const CHUNK_BYTES = 64 * 1024
/** Where the system does not tell of changes, as on network drives, it is looked so often. */
const LOOK_EVERY_MS = 1_000
const NEWLINE = 0x0a

/** The last lines of a log that is put aside from time to time; `paths` are its files, the newest first. Missing files are empty. */
export async function lastLines(paths: readonly string[], count: number): Promise<readonly string[]> {
  let lines: readonly string[] = []
  for (const path of paths) {
    if (lines.length >= count) break
    const file = await openIfThere(path)
    if (file === undefined) continue
    try {
      lines = [...(await lastOfFile(file, count - lines.length)), ...lines]
    } finally {
      await file.close()
    }
  }
  return lines
}

/** Every line that is added to a log from now on, also after it was put aside and begun anew. Ends when the signal is aborted. */
export async function* followLines(path: string, signal: AbortSignal): AsyncGenerator<string> {
  const changes = new ChangeBell(dirname(path), signal)
  let file = await openIfThere(path)
  let reader = file && new LineReader(file, (await file.stat()).size)
  try {
    while (!signal.aborted) {
      const changed = changes.next()
      if (reader !== undefined) yield* reader.read()
      if (file === undefined || (await isReplaced(file, path))) {
        // What was written before it was put aside.
        if (reader !== undefined) yield* reader.read()
        await file?.close()
        file = await openIfThere(path)
        reader = file && new LineReader(file, 0)
        if (file !== undefined) continue
      }
      await changed
    }
  } finally {
    changes.stop()
    await file?.close()
  }
}

/** Reads whole lines from a place in a file on. */
class LineReader {
  readonly #file: FileHandle
  #position: number
  #rest = Buffer.alloc(0)

  constructor(file: FileHandle, position: number) {
    this.#file = file
    this.#position = position
  }

  async *read(): AsyncGenerator<string> {
    while (true) {
      const { buffer, bytesRead } = await this.#file.read(
        Buffer.alloc(CHUNK_BYTES),
        0,
        CHUNK_BYTES,
        this.#position,
      )
      if (bytesRead === 0) return
      this.#position += bytesRead
      const bytes = Buffer.concat([this.#rest, buffer.subarray(0, bytesRead)])
      const end = bytes.lastIndexOf(NEWLINE) + 1
      this.#rest = bytes.subarray(end)
      yield* splitLines(bytes.subarray(0, end))
    }
  }
}

/** Rings when something in a folder may have changed. */
class ChangeBell {
  readonly #watcher
  readonly #timer
  #ring: () => void = () => {}

  constructor(folder: string, signal: AbortSignal) {
    const ring = (): void => this.#ring()
    this.#timer = setInterval(ring, LOOK_EVERY_MS)
    try {
      this.#watcher = watch(folder, ring)
      this.#watcher.on('error', () => {})
    } catch {
      // The folder is not there yet.
    }
    signal.addEventListener('abort', ring, { once: true })
    this.#isAborted = () => signal.aborted
  }

  readonly #isAborted: () => boolean

  /** Resolves at the next ring after this call. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#ring = resolve
      if (this.#isAborted()) resolve()
    })
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#watcher?.close()
  }
}

async function lastOfFile(file: FileHandle, count: number): Promise<readonly string[]> {
  let position = (await file.stat()).size
  let bytes = Buffer.alloc(0)
  while (position > 0 && countLines(bytes) <= count) {
    const length = Math.min(CHUNK_BYTES, position)
    position -= length
    const { buffer } = await file.read(Buffer.alloc(length), 0, length, position)
    bytes = Buffer.concat([buffer, bytes])
  }
  return splitLines(bytes).slice(-count)
}

function countLines(bytes: Buffer): number {
  let count = 0
  for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, at + 1)) count += 1
  return count
}

function splitLines(bytes: Buffer): string[] {
  return bytes
    .toString()
    .split('\n')
    .filter((line) => line !== '')
}

async function isReplaced(file: FileHandle, path: string): Promise<boolean> {
  const [mine, there] = await Promise.all([file.stat(), stat(path).catch(() => undefined)])
  return there === undefined || there.ino !== mine.ino
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  return await open(path, 'r').catch(() => undefined)
}
