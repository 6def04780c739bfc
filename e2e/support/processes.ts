import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

interface ProcessRow {
  readonly pid: number
  readonly parent: number
  readonly state: string
}

/** Ids of the processes that this one started, and those that they started. */
export async function descendants(pid: number): Promise<readonly number[]> {
  const rows = await processes()
  const below = (parent: number): number[] =>
    rows.filter((row) => row.parent === parent).flatMap((row) => [row.pid, ...below(row.pid)])
  return below(pid)
}

/** Those of `pids` that still run. A process that ended and was not yet collected does not. */
export async function stillRunning(pids: readonly number[]): Promise<readonly number[]> {
  const rows = await processes()
  return rows.filter(({ pid, state }) => pids.includes(pid) && !state.startsWith('Z')).map(({ pid }) => pid)
}

async function processes(): Promise<readonly ProcessRow[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid=,stat='])
  return stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .map(([pid, parent, state]) => ({ pid: Number(pid), parent: Number(parent), state: state ?? '' }))
}
