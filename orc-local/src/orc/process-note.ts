import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { systemCode } from '../errors.ts'
import { identify, isAlive, parseIdentity, type ProcessIdentity } from '../process-identity.ts'
import type { StateFolder } from './state-folder.ts'

/** Notes which process is the Orc's workerd, for whoever wants to pause it. */
export function noteProcess({ processFile }: StateFolder, pid: number): void {
  writeFileSync(processFile, JSON.stringify(identify(pid)), { mode: 0o600 })
}

/** Forgets it, once it is gone. */
export function forgetProcess({ processFile }: StateFolder): void {
  rmSync(processFile, { force: true })
}

/** The workerd that runs on a state folder. What a crash left behind names none. */
export function notedProcess({ processFile }: StateFolder): ProcessIdentity | undefined {
  let text: string
  try {
    text = readFileSync(processFile, 'utf8')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
  const identity = parseIdentity(text)
  return identity !== undefined && isAlive(identity) ? identity : undefined
}
