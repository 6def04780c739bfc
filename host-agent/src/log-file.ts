import { appendFileSync, mkdirSync } from 'node:fs'
import { type FileHandle, mkdir, open, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** Size at which the log is put aside, and how many files there are, the present one included. */
export interface LogRotation {
  readonly largestBytes: number
  readonly files: number
}
const ROTATION: LogRotation = { largestBytes: 10 * 1024 * 1024, files: 3 }

/** What may wait for a slow disk. Lines beyond it are dropped. */
const LARGEST_BACKLOG_BYTES = 1024 * 1024

/** The agent's log, newest file first. */
export function logPaths(stateFolder: string, files = ROTATION.files): readonly string[] {
  const path = join(stateFolder, 'logs', 'daisi-host.log')
  return [path, ...Array.from({ length: files - 1 }, (_, index) => `${path}.${index + 1}`)]
}

/**
 * The log on disk, beside the one on stderr: JSON lines, put aside by size. Writing never waits and never fails: on a full or
 * broken disk lines are dropped, and their number is logged when it works again.
 */
export class LogFile {
  readonly #path: string
  readonly #paths: readonly string[]
  readonly #rotation: LogRotation
  #file: FileHandle | undefined
  #size = 0
  #pending: string[] = []
  #pendingBytes = 0
  #dropped = 0
  /** True after a failed write, which may have left a part of a line. */
  #torn = false
  #writing: Promise<void> | undefined

  constructor(stateFolder: string, rotation = ROTATION) {
    this.#paths = logPaths(stateFolder, rotation.files)
    this.#path = this.#paths[0] ?? ''
    this.#rotation = rotation
    process.once('exit', this.#flushAtExit)
  }

  /** Takes one line, with its end. */
  write(line: string): void {
    const bytes = Buffer.byteLength(line)
    if (this.#pendingBytes + bytes > LARGEST_BACKLOG_BYTES) {
      this.#dropped += 1
      return
    }
    this.#pending.push(line)
    this.#pendingBytes += bytes
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined
    })
  }

  /** Resolves when everything is written, or dropped. */
  async close(): Promise<void> {
    await this.#writing
    process.off('exit', this.#flushAtExit)
    await this.#closeFile()
  }

  async #writeAll(): Promise<void> {
    while (this.#pending.length > 0) {
      try {
        await this.#makeReady()
        await this.#append()
      } catch {
        this.#torn = true
        await this.#closeFile()
        this.#dropped += this.#take().length
      }
    }
  }

  #take(): readonly string[] {
    const lines = this.#pending
    this.#pending = []
    this.#pendingBytes = 0
    return lines
  }

  /** Lines stay pending until there is a file for them, so that an exit in between finds them. */
  async #makeReady(): Promise<void> {
    this.#file ??= await this.#open()
    if (this.#size === 0 || this.#size + this.#pendingBytes <= this.#rotation.largestBytes) return
    await this.#rotate()
    this.#file = await this.#open()
  }

  async #append(): Promise<void> {
    const [dropped, lines] = [this.#dropped, this.#take()]
    const notice = dropped === 0 ? '' : droppedLine(dropped)
    const bytes = Buffer.from((this.#torn ? '\n' : '') + notice + lines.join(''))
    try {
      await this.#file?.writeFile(bytes)
    } catch (error) {
      this.#dropped += lines.length
      throw error
    }
    this.#size += bytes.length
    this.#dropped -= dropped
    this.#torn = false
  }

  async #open(): Promise<FileHandle> {
    await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 })
    const file = await open(this.#path, 'a', 0o600)
    this.#size = (await file.stat()).size
    return file
  }

  async #rotate(): Promise<void> {
    await this.#closeFile()
    for (const [index, path] of [...this.#paths.entries()].toReversed())
      if (index > 0) await rename(this.#paths[index - 1] ?? '', path).catch(() => {})
  }

  async #closeFile(): Promise<void> {
    await this.#file?.close().catch(() => {})
    this.#file = undefined
  }

  /** What `process.exit` would lose: above all the line that says why. */
  readonly #flushAtExit = (): void => {
    if (this.#pending.length === 0) return
    try {
      mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 })
      appendFileSync(this.#path, this.#take().join(''), { mode: 0o600 })
    } catch {
      // There is nobody left to tell.
    }
  }
}

function droppedLine(count: number): string {
  const facts = { level: 40, time: Date.now(), event: 'log-dropped', lines: count }
  return `${JSON.stringify({ ...facts, msg: 'lines are missing around here: the disk was full, or too slow' })}\n`
}
