import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { ModelLoadError } from '../engine.ts'

const MAGIC = 'GGUF'
const VERSIONS: ReadonlySet<number> = new Set([2, 3])
const CHUNK_BYTES = 256 * 1024
const MOST_DIMENSIONS = 4
const STRING = 8
const ARRAY = 9
/** Bytes of the values of each type, by its number; strings and arrays have none of their own. */
const VALUE_BYTES: Readonly<Record<number, number>> = {
  0: 1,
  1: 1,
  2: 2,
  3: 2,
  4: 4,
  5: 4,
  6: 4,
  7: 1,
  10: 8,
  11: 8,
  12: 8,
}

/**
 * Walks through the head of a GGUF file and believes no length in it, so that whoever reads it afterwards meets none that
 * leads out of the file. Throws `ModelLoadError`.
 */
export function checkGguf(path: string): void {
  const unreadable = `${path} cannot be read; check that it exists, is a file, and may be read`
  let file: number
  try {
    file = openSync(path, 'r')
  } catch (cause) {
    throw new ModelLoadError('model_unusable', unreadable, cause)
  }
  try {
    if (!fstatSync(file).isFile()) throw new ModelLoadError('model_unusable', unreadable)
    walk(new FileCursor(file, path), path)
  } finally {
    closeSync(file)
  }
}

function walk(cursor: FileCursor, path: string): void {
  if (cursor.size < MAGIC.length || cursor.take(MAGIC.length).toString('latin1') !== MAGIC)
    throw new ModelLoadError('model_unusable', `${path} is no GGUF file; give a model in that format`)
  const version = cursor.uint32()
  if (!VERSIONS.has(version)) {
    const message = `${path} has version ${version} of GGUF, which this version of llama.cpp does not read; get a newer conversion of the model`
    throw new ModelLoadError('model_unsupported', message)
  }
  const tensors = cursor.count(1)
  const values = cursor.count(1)
  for (let index = 0; index < values; index++) {
    cursor.string()
    skipValue(cursor, cursor.uint32())
  }
  for (let index = 0; index < tensors; index++) {
    cursor.string()
    const dimensions = cursor.uint32()
    if (dimensions > MOST_DIMENSIONS) throw cursor.damaged()
    cursor.skip(dimensions * 8 + 4)
    if (cursor.uint64() > cursor.size) throw cursor.damaged()
  }
}

function skipValue(cursor: FileCursor, type: number): void {
  if (type === STRING) return cursor.string()
  if (type !== ARRAY) return cursor.skip(bytesOf(cursor, type))
  const element = cursor.uint32()
  if (element === STRING) {
    const strings = cursor.count(8)
    for (let index = 0; index < strings; index++) cursor.string()
  } else {
    const bytes = bytesOf(cursor, element)
    cursor.skip(cursor.count(bytes) * bytes)
  }
}

function bytesOf(cursor: FileCursor, type: number): number {
  const bytes = VALUE_BYTES[type]
  if (bytes === undefined) throw cursor.damaged()
  return bytes
}

/** Reads a file from its beginning, a chunk at a time. */
class FileCursor {
  readonly size: number
  readonly #file: number
  readonly #path: string
  #chunk = Buffer.alloc(0)
  #chunkStart = 0
  #position = 0

  constructor(file: number, path: string) {
    this.#file = file
    this.#path = path
    this.size = fstatSync(file).size
  }

  damaged(): ModelLoadError {
    return new ModelLoadError('model_damaged', `${this.#path} ends early or is damaged; download it again`)
  }

  take(bytes: number): Buffer {
    const start = this.#position
    this.skip(bytes)
    if (start < this.#chunkStart || start + bytes > this.#chunkStart + this.#chunk.length) {
      const chunk = Buffer.alloc(CHUNK_BYTES)
      this.#chunk = chunk.subarray(0, readSync(this.#file, chunk, 0, CHUNK_BYTES, start))
      this.#chunkStart = start
      if (this.#chunk.length < bytes) throw this.damaged()
    }
    return this.#chunk.subarray(start - this.#chunkStart, start - this.#chunkStart + bytes)
  }

  skip(bytes: number): void {
    if (bytes > this.size - this.#position) throw this.damaged()
    this.#position += bytes
  }

  uint32(): number {
    return this.take(4).readUInt32LE()
  }

  uint64(): number {
    return Number(this.take(8).readBigUInt64LE())
  }

  /** A number of things of at least so many bytes each, all of which the rest of the file can hold. */
  count(bytesEach: number): number {
    const count = this.uint64()
    if (count * bytesEach > this.size - this.#position) throw this.damaged()
    return count
  }

  string(): void {
    this.skip(this.uint64())
  }
}
