import { readFileSync } from 'node:fs'
import { systemCode } from './errors.ts'

/** A process, told apart from a later one that got the same number. */
export interface ProcessIdentity {
  readonly pid: number
  /** Boot and start time where the system tells them (Linux), else null. */
  readonly birth: string | null
}

/** Describes a running process. */
export function identify(pid: number): ProcessIdentity {
  return { pid, birth: birthOf(pid) }
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
