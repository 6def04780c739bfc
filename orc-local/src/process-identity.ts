import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { systemCode } from './errors.ts'

/** A process, told apart from a later one that got the same number. */
export interface ProcessIdentity {
  readonly pid: number
  /** Boot and start time where the system tells them (Linux), the start time from `ps` (macOS), else null. */
  readonly birth: string | null
}

/** Describes a running process. */
export function identify(pid: number): ProcessIdentity {
  return { pid, birth: birthOf(pid) }
}

/** Reads an identity that was written as JSON; undefined if it is none. */
export function parseIdentity(text: string): ProcessIdentity | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null || !('pid' in value) || !('birth' in value))
    return undefined
  const { pid, birth } = value
  if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid <= 0) return undefined
  return { pid, birth: typeof birth === 'string' ? birth : null }
}

/** Whether that same process still runs. */
export function isAlive(identity: ProcessIdentity): boolean {
  try {
    process.kill(identity.pid, 0)
  } catch (error) {
    // EPERM: it runs, under another user.
    if (systemCode(error) !== 'EPERM') return false
  }
  return identity.birth === null || identity.birth === birthOf(identity.pid)
}

function birthOf(pid: number): string | null {
  return process.platform === 'darwin' ? startTimeByPs(pid) : bootAndStartTime(pid)
}

/** When a process started, to the second, as `ps` says it. */
export function startTimeByPs(pid: number): string | null {
  const environment = { PATH: '/bin:/usr/bin', LC_ALL: 'C', TZ: 'UTC' }
  const ps = spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8', env: environment })
  const start = ps.status === 0 ? ps.stdout.trim() : ''
  return start === '' ? null : start
}

function bootAndStartTime(pid: number): string | null {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The second field is the program's name in parentheses and may hold anything; the start time is the 22nd.
    const start = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
    return start === undefined ? null : `${boot}/${start}`
  } catch {
    return null
  }
}
