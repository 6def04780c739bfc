import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Reading } from './probe.ts'

const FOLDER = '/sys/class/power_supply'

/** One folder of /sys/class/power_supply: files by name, without what does not exist. */
export interface PowerSupply {
  readonly type?: string | undefined
  readonly online?: string | undefined
  readonly status?: string | undefined
  /** `Device`: the battery of a mouse, not of the machine. */
  readonly scope?: string | undefined
}

/** Whether a machine with Linux is on mains power. */
export async function readLinuxPower(): Promise<Reading<boolean>> {
  const names = await readdir(FOLDER).catch(() => [])
  return { value: isOnPower(await Promise.all(names.map(readSupply))) }
}

/** True unless a battery of the machine is being emptied and nothing feeds it. */
export function isOnPower(supplies: readonly PowerSupply[]): boolean {
  const own = supplies.filter(({ scope }) => scope !== 'Device')
  if (own.some(({ type, online }) => type !== 'Battery' && Number(online ?? 0) > 0)) return true
  return !own.some(({ type, status }) => type === 'Battery' && status === 'Discharging')
}

async function readSupply(name: string): Promise<PowerSupply> {
  const read = (file: string): Promise<string | undefined> =>
    readFile(join(FOLDER, name, file), 'utf8').then(
      (text) => text.trim(),
      () => undefined,
    )
  const [type, online, status, scope] = await Promise.all(['type', 'online', 'status', 'scope'].map(read))
  return { type, online, status, scope }
}
