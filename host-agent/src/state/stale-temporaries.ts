import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** What `writeJsonFile` calls a file until it is whole. */
const TEMPORARY = /^[\w.-]+\.json\.[0-9a-f]{12}\.tmp$/

/** Another process may be writing at this moment; no write takes this long. */
const STALE_MS = 10 * 60_000

/**
 * Removes what a process that was killed while it wrote has left in a state folder: parts of state files, keys among them.
 * What cannot be removed stays: it does no harm.
 */
export async function removeStaleTemporaries(stateFolder: string, nowMs = Date.now()): Promise<void> {
  const folders = [stateFolder, join(stateFolder, 'orcs'), join(stateFolder, 'direct')]
  await Promise.all(folders.map((folder) => clean(folder, nowMs)))
}

async function clean(folder: string, nowMs: number): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  const remove = async (path: string): Promise<void> => {
    if (nowMs - (await stat(path)).mtimeMs > STALE_MS) await rm(path)
  }
  const temporaries = entries.filter((entry) => entry.isFile() && TEMPORARY.test(entry.name))
  await Promise.allSettled(temporaries.map(({ name }) => remove(join(folder, name))))
}
