import { existsSync } from 'node:fs'
import { mkdir, open, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { ExitCode, FatalError } from '../exit-codes.ts'

/** What SQLite says while another process has the lock. */
const SQLITE_BUSY = 5
/** For somebody who only looks whether there is a lock, and has it for a moment. */
const WAIT_MS = 200

/**
 * Makes an agent the only one of its state folder. The lock is one that SQLite takes on a file: the system itself lets go of it
 * when the process ends, also by kill -9, so there is nothing stale to guess about and no moment in which two agents have it.
 */
export class StateLock {
  readonly #database: DatabaseSync
  readonly #pidPath: string

  private constructor(database: DatabaseSync, pidPath: string) {
    this.#database = database
    this.#pidPath = pidPath
  }

  /** Throws a `FatalError` `already_running` if another agent has the folder. */
  static async acquire(stateFolder: string): Promise<StateLock> {
    const pidPath = join(stateFolder, 'agent.pid')
    const database = await lock(stateFolder, pidPath)
    await writeFile(pidPath, `${process.pid}\n`, { mode: 0o600 }).catch(() => {})
    return new StateLock(database, pidPath)
  }

  async release(): Promise<void> {
    await rm(this.#pidPath, { force: true }).catch(() => {})
    this.#database.close()
  }
}

/** True while an agent has the state folder, even if it does not answer yet. */
export async function isStateLocked(stateFolder: string): Promise<boolean> {
  const path = lockPath(stateFolder)
  if (!existsSync(path)) return false
  const database = new (await sqlite())(path, { readOnly: true, timeout: 0 })
  try {
    database.prepare('PRAGMA schema_version').get()
    return false
  } catch (error) {
    if (isBusy(error)) return true
    throw error
  } finally {
    database.close()
  }
}

function lockPath(stateFolder: string): string {
  return join(stateFolder, 'agent.lock')
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY
}

async function lock(stateFolder: string, pidPath: string): Promise<DatabaseSync> {
  const path = lockPath(stateFolder)
  try {
    await mkdir(stateFolder, { recursive: true, mode: 0o700 })
    await createFile(path)
    const database = new (await sqlite())(path, { timeout: WAIT_MS })
    try {
      database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
      return database
    } catch (error) {
      database.close()
      throw error
    }
  } catch (error) {
    if (isBusy(error)) throw await alreadyRunning(stateFolder, pidPath)
    const message = `${path} cannot be locked; check the folder, its permissions and the free space, or give another one with --state`
    throw new FatalError(ExitCode.State, 'state_unusable', message, error)
  }
}

/** SQLite would make it readable by others. An existing one is not even opened: closing a file drops the locks that the process has on it. */
async function createFile(path: string): Promise<void> {
  try {
    await (await open(path, 'wx', 0o600)).close()
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
}

async function alreadyRunning(stateFolder: string, pidPath: string): Promise<FatalError> {
  const pid = (await readFile(pidPath, 'utf8').catch(() => '')).trim()
  const process = /^\d{1,10}$/.test(pid) ? ` (process ${pid})` : ''
  const message = `an agent with the state folder ${stateFolder} is running already${process}; look at it with daisi-host status, stop it first, or give this one its own --state folder`
  return new FatalError(ExitCode.AlreadyRunning, 'already_running', message)
}

/** Node calls its SQLite experimental on stderr, where this agent writes JSON lines; the one warning is kept back. */
async function sqlite(): Promise<typeof DatabaseSync> {
  const emitWarning = process.emitWarning.bind(process)
  process.emitWarning = () => {}
  try {
    return (await import('node:sqlite')).DatabaseSync
  } finally {
    process.emitWarning = emitWarning
  }
}
