import { randomUUID } from 'node:crypto'
import { linkSync, readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs'
import { systemCode } from './errors.ts'
import { identify, isAlive, parseIdentity, type ProcessIdentity } from './process-identity.ts'

/** The answer to asking for a lock. */
export type LockResult =
  | { readonly ok: true; readonly release: () => void }
  | { readonly ok: false; readonly holderPid: number }

/** Lock files of this process. In a container every start may get the same number, so a number alone proves nothing. */
const held = new Set<string>()

/**
 * Takes a lock file, also from a holder that no longer runs. The file appears with its content (a hard link), so
 * nobody ever reads half of it.
 */
export function acquireLock(path: string): LockResult {
  const own = `${path}.${randomUUID()}`
  const text = JSON.stringify(identify(process.pid))
  writeFileSync(own, text, { mode: 0o600, flag: 'wx' })
  try {
    for (;;) {
      if (tryLink(own, path)) break
      const current = readHolder(path)
      if (current === undefined) continue
      if (current.holder !== undefined && isHeld(path, current.holder))
        return { ok: false, holderPid: current.holder.pid }
      discardStale(path, current.text)
    }
  } finally {
    unlinkSync(own)
  }
  held.add(path)
  let isReleased = false
  const releaseOnce = (): void => {
    if (!isReleased) release(path, text)
    isReleased = true
  }
  return { ok: true, release: releaseOnce }
}

function isHeld(path: string, holder: ProcessIdentity): boolean {
  if (!isAlive(holder)) return false
  return holder.pid !== process.pid || holder.birth !== null || held.has(path)
}

/** Moves the leftover away. If another process was faster and this is its fresh lock, it is put back. */
function discardStale(path: string, staleText: string): void {
  const aside = `${path}.${randomUUID()}`
  try {
    renameSync(path, aside)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return
    throw error
  }
  if (readFileSync(aside, 'utf8') !== staleText) tryLink(aside, path)
  unlinkSync(aside)
}

function release(path: string, text: string): void {
  held.delete(path)
  try {
    if (readFileSync(path, 'utf8') === text) unlinkSync(path)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
  }
}

function tryLink(existing: string, path: string): boolean {
  try {
    linkSync(existing, path)
    return true
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false
    throw error
  }
}

interface LockContent {
  readonly text: string
  /** Undefined where the content is not a lock's: then nobody holds it. */
  readonly holder: ProcessIdentity | undefined
}

function readHolder(path: string): LockContent | undefined {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
  return { text, holder: parseIdentity(text) }
}
