import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { messageOf, OrcError } from '../errors.ts'
import { isAlive, type ProcessIdentity } from '../process-identity.ts'

/** A process in the middle of a write stops at its end. */
const STOP_TIMEOUT_MS = 5_000
const LOOK_EVERY_MS = 2

/** What helps where a backup cannot be made while the Orc runs. */
export const BY_HAND = 'Stop the Orc, copy its state folder, start it again.'

/** A process that does not run until it is thawed. */
export interface FrozenProcess {
  /** Whether it has been standing still, as far as can be seen. */
  readonly isFrozen: () => boolean
  /** Lets it go on. Returns for how many milliseconds it stood; the same again when called again. */
  readonly thaw: () => number
}

/**
 * Stops a process where it is. It goes on when it is thawed, and also when this process ends, however that happens: a
 * small shell waits for the end of a pipe that only this process holds. Undefined if the process is gone or does not
 * stop; then it is as it was.
 */
export async function freeze(identity: ProcessIdentity): Promise<FrozenProcess | undefined> {
  const { pid } = identity
  const guard = spawn('/bin/sh', ['-c', 'read -r _; kill -s CONT "$1"', 'sh', String(pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  try {
    await once(guard, 'spawn')
  } catch (cause) {
    throw new OrcError('backup_unsupported', `/bin/sh is needed (${messageOf(cause)}). ${BY_HAND}`, { cause })
  }
  const startedAt = performance.now()
  let pausedMs: number | undefined
  const thaw = (): number => {
    if (pausedMs !== undefined) return pausedMs
    // Also to a process that is not ours any more: only a stopped one takes notice.
    try {
      process.kill(pid, 'SIGCONT')
    } catch {
      // It is gone.
    }
    guard.kill('SIGKILL')
    pausedMs = performance.now() - startedAt
    return pausedMs
  }
  const isFrozen = (): boolean => pausedMs === undefined && isAlive(identity) && isStopped(pid)
  try {
    if (isAlive(identity)) process.kill(pid, 'SIGSTOP')
    // The signal stops each thread when it next leaves the kernel, which this call does not wait for.
    while (!isFrozen() && isAlive(identity) && performance.now() - startedAt < STOP_TIMEOUT_MS)
      await setTimeout(LOOK_EVERY_MS)
    if (isFrozen()) return { isFrozen, thaw }
  } catch (cause) {
    thaw()
    throw new OrcError('backup_failed', `The Orc cannot be paused (${messageOf(cause)}). ${BY_HAND}`, {
      cause,
    })
  }
  thaw()
  return undefined
}

/** Whether a process stands still, stopped by a signal. */
export function isStopped(pid: number): boolean {
  return process.platform === 'linux' ? areThreadsStopped(pid) : isStoppedByPs(pid)
}

/** Every thread has to stand: one that is still in the kernel may be writing. */
function areThreadsStopped(pid: number): boolean {
  try {
    return readdirSync(`/proc/${pid}/task`).every((thread) => {
      const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8')
      // T: stopped; t: stopped by a debugger. The name before it is in parentheses and may hold anything.
      return /^[Tt]/.test(stat.slice(stat.lastIndexOf(')') + 2))
    })
  } catch {
    // A thread, or all of them, ended meanwhile.
    return false
  }
}

/** As macOS tells it. */
export function isStoppedByPs(pid: number): boolean {
  const environment = { PATH: '/bin:/usr/bin', LC_ALL: 'C' }
  const ps = spawnSync('ps', ['-o', 'state=', '-p', String(pid)], { encoding: 'utf8', env: environment })
  return ps.status === 0 && ps.stdout.trim().startsWith('T')
}
