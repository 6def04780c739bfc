import { randomUUID } from 'node:crypto'
import { mkdir, readdir, realpath, rename, rm } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { putOnDisk } from '../atomic-file.ts'
import { messageOf, OrcError, systemCode } from '../errors.ts'
import { acquireLock } from '../lock-file.ts'
import { notedProcess } from '../orc/process-note.ts'
import { existingStateFolder, type StateFolder } from '../orc/state-folder.ts'
import type { ProcessIdentity } from '../process-identity.ts'
import { type CopiedFolder, copyFolder, sealCopy } from './copy-folder.ts'
import { BY_HAND, freeze } from './freeze.ts'

/** What to back up and where to. */
export interface BackupOptions {
  readonly stateDir: string
  /** A folder that does not exist or is empty. */
  readonly target: string
  /** When it aborts, the Orc goes on at once and no backup is left. */
  readonly signal: AbortSignal
}

/** A backup that was made. */
export interface Backup {
  readonly dir: string
  readonly files: number
  readonly bytes: number
  /** For how long the Orc stood still; undefined if it did not run. */
  readonly pausedMs: number | undefined
}

/**
 * Copies a state folder so that all its files are of one instant: workerd stands still meanwhile, and what is copied is
 * what a power cut at that instant would leave. The target appears whole or not at all.
 *
 * @throws OrcError `backup_…`, `state_broken`, `state_locked`
 */
export async function backUp({ stateDir, target, signal }: BackupOptions): Promise<Backup> {
  const folder = await existingStateFolder(stateDir)
  const dir = await requireTarget(folder, target)
  // Two at a time would thaw what the other one froze.
  const lock = acquireLock(folder.backupLockFile)
  if (!lock.ok) {
    throw new OrcError('state_locked', `Another backup of ${folder.dir} runs (process ${lock.holderPid}).`)
  }
  const partial = `${dir}.${randomUUID()}.partial`
  try {
    const { copy, pausedMs } = await copyInOneInstant(folder, partial, signal)
    const bytes = await sealCopy(partial, copy)
    signal.throwIfAborted()
    await rename(partial, dir)
    await putOnDisk(dirname(dir))
    return { dir, files: copy.files.length, bytes, pausedMs }
  } catch (cause) {
    await rm(partial, { recursive: true, force: true })
    if (cause instanceof OrcError) throw cause
    const reason = signal.aborted ? 'it was interrupted' : messageOf(cause)
    throw new OrcError('backup_failed', `No backup was made: ${reason}.`, { cause })
  } finally {
    lock.release()
  }
}

interface InstantCopy {
  readonly copy: CopiedFolder
  readonly pausedMs: number | undefined
}

/** As the Orc stands: frozen if it runs, kept from starting if it does not. */
async function copyInOneInstant(
  folder: StateFolder,
  target: string,
  signal: AbortSignal,
): Promise<InstantCopy> {
  const lock = acquireLock(folder.lockFile)
  try {
    const running = notedProcess(folder)
    if (running !== undefined) return await copyFrozen(folder, target, running, signal)
    if (lock.ok) return { copy: await copy(folder, target, signal), pausedMs: undefined }
  } finally {
    if (lock.ok) lock.release()
  }
  throw new OrcError(
    'state_locked',
    `The Orc in ${folder.dir} is starting or stopping (process ${lock.holderPid}), or runs in another container. Try again in a moment, or where it runs.`,
  )
}

async function copyFrozen(
  folder: StateFolder,
  target: string,
  running: ProcessIdentity,
  signal: AbortSignal,
): Promise<InstantCopy> {
  // A process that nothing but its number identifies may be somebody else's by now.
  if (process.platform === 'win32' || running.birth === null) {
    throw new OrcError(
      'backup_unsupported',
      `An Orc that runs cannot be backed up on this system. ${BY_HAND}`,
    )
  }
  const frozen = await freeze(running)
  if (frozen === undefined) {
    throw new OrcError('backup_failed', 'The Orc ended or did not pause, so no backup was made. Try again.')
  }
  signal.addEventListener('abort', frozen.thaw)
  try {
    signal.throwIfAborted()
    const copied = await copy(folder, target, signal)
    if (!frozen.isFrozen()) {
      throw new OrcError(
        'backup_failed',
        'The Orc ended or was woken meanwhile, so no backup was made. Try again.',
      )
    }
    return { copy: copied, pausedMs: frozen.thaw() }
  } finally {
    frozen.thaw()
    signal.removeEventListener('abort', frozen.thaw)
  }
}

/** Everything but what says who uses the folder now, and the configuration, which each start writes anew. */
function copy(folder: StateFolder, target: string, signal: AbortSignal): Promise<CopiedFolder> {
  const leftOut = [folder.lockFile, folder.backupLockFile, folder.processFile, folder.configFile]
  const names = leftOut.map((path) => basename(path))
  const isLeftOut = (name: string): boolean =>
    names.some((own) => name === own || name.startsWith(`${own}.`)) || name.endsWith('.tmp')
  return copyFolder(folder.dir, target, isLeftOut, signal)
}

/** The full path of a target that may become a folder: it is empty, or nothing is there, and it is not in the state folder. */
async function requireTarget(folder: StateFolder, target: string): Promise<string> {
  const path = resolve(target)
  try {
    if ((await readdir(path)).length > 0) throw unusable(`${path} is not empty`)
  } catch (cause) {
    if (cause instanceof OrcError) throw cause
    if (systemCode(cause) !== 'ENOENT') throw unusable(`${path} cannot be used (${messageOf(cause)})`, cause)
  }
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw unusable(`${dirname(path)} cannot be made (${messageOf(cause)})`, cause)
  }
  const way = relative(await realpath(folder.dir), join(await realpath(dirname(path)), basename(path)))
  if (way === '' || !(way === '..' || way.startsWith(`..${sep}`) || resolve(way) === way))
    throw unusable(`${path} is inside the state folder`)
  return path
}

function unusable(reason: string, cause?: unknown): OrcError {
  return new OrcError('backup_target_unusable', `${reason}. Choose a new folder for the backup.`, { cause })
}
