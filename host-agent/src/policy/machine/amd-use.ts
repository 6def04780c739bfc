import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { GpuReading } from './probe.ts'

const FOLDER = '/sys/class/drm'

/** Use of AMD's GPUs under Linux; undefined if there are none. The driver does not say by whom: it counts while we do not work. */
export async function readAmdUse(working: boolean): Promise<GpuReading | undefined> {
  const names = (await readdir(FOLDER).catch(() => [])).filter((name) => /^card\d+$/.test(name))
  const texts = await Promise.all(
    names.map((name) => readFile(join(FOLDER, name, 'device/gpu_busy_percent'), 'utf8').catch(() => '')),
  )
  const percents = texts.map((text) => text.trim()).filter((text) => /^\d{1,3}$/.test(text))
  if (percents.length === 0) return undefined
  return working ? 'unattributed' : { value: Math.max(...percents.map(Number)) }
}
