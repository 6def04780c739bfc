import { needsSetup } from '../setup/needs-setup.ts'
import { stateFolderOf } from './state-folder.ts'

/** What `daisi-host` without a command means: `setup` before a person who has not finished it, `run` for everybody else. */
export async function startArguments(given: readonly string[]): Promise<readonly string[]> {
  if (given.length > 0) return given
  const isAttended = process.stdin.isTTY && process.stdout.isTTY
  return isAttended && (await needsSetup(stateFolderOf(process.env['DAISI_STATE']))) ? ['setup'] : ['run']
}
