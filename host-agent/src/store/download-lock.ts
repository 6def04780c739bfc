import { randomBytes } from 'node:crypto'
import { link, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import * as z from 'zod'
import { diskError } from './disk-space.ts'
import { dirname } from 'node:path'

const holder = z.object({ pid: z.int().positive(), host: z.string(), token: z.string() })

/** How often a holder shows that it lives. */
const BEAT_MS = 5_000

/** A lock whose holder does not show itself for so long is free: its machine is gone, or its process number is another's now. */
const STALE_MS = 60_000

/** The right to write one file, against every other process, and others of this one. */
export class DownloadLock implements AsyncDisposable {
  readonly #path: string
  readonly #token: string
  readonly #beat: NodeJS.Timeout

  private constructor(path: string, token: string) {
    this.#path = path
    this.#token = token
    this.#beat = setInterval(() => {
      const now = new Date()
      utimes(path, now, now).catch(() => {})
    }, BEAT_MS).unref()
  }

  /** Takes the lock, or returns undefined if another holds it. Throws a `DownloadError` if the folder cannot be written to. */
  static async take(path: string): Promise<DownloadLock | undefined> {
    const token = randomBytes(16).toString('hex')
    const text = JSON.stringify({ pid: process.pid, host: hostname(), token })
    try {
      await removeStale(path)
      await writeFile(path, text, { flag: 'wx', mode: 0o600 })
      return new DownloadLock(path, token)
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return undefined
      throw diskError(dirname(path), error)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#beat)
    const text = await readFile(this.#path, 'utf8').catch(() => '')
    if (text.includes(this.#token)) await rm(this.#path, { force: true }).catch(() => {})
  }
}

async function removeStale(path: string): Promise<void> {
  const text = await readFile(path, 'utf8').catch(() => undefined)
  if (text === undefined || !(await isStale(path, text))) return
  // Others may judge the same: one of them moves it, and puts back what it did not mean to move.
  const aside = `${path}.${randomBytes(6).toString('hex')}`
  const moved = await rename(path, aside).then(
    () => true,
    () => false,
  )
  if (!moved) return
  if ((await readFile(aside, 'utf8').catch(() => text)) !== text) await link(aside, path).catch(() => {})
  await rm(aside, { force: true })
}

async function isStale(path: string, text: string): Promise<boolean> {
  const age = Date.now() - (await stat(path).catch(() => ({ mtimeMs: Date.now() }))).mtimeMs
  if (age > STALE_MS) return true
  const { pid, host } = parseHolder(text) ?? {}
  // Half a lock: its holder was killed while it wrote, or is just about to finish.
  if (pid === undefined) return age > BEAT_MS
  return host === hostname() && !isRunning(pid)
}

function parseHolder(text: string): z.infer<typeof holder> | undefined {
  try {
    return holder.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
