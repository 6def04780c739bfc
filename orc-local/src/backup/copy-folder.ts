import { constants } from 'node:fs'
import { chmod, copyFile, mkdir, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { putOnDisk } from '../atomic-file.ts'
import { OrcError } from '../errors.ts'

/** A copy: every folder and file in it, relative to its root, parents first. */
export interface CopiedFolder {
  readonly folders: readonly string[]
  readonly files: readonly string[]
}

/**
 * Copies a folder of plain files and folders into a new one, with shared blocks where the file system can do that.
 *
 * @param isLeftOut is asked about the names at the top
 * @throws OrcError `backup_failed` for anything else in it, a symbolic link above all: what is behind it would be missing
 */
export async function copyFolder(
  from: string,
  to: string,
  isLeftOut: (name: string) => boolean,
  signal: AbortSignal,
): Promise<CopiedFolder> {
  const folders = ['']
  const files: string[] = []
  await mkdir(to, { mode: 0o700 })
  for (let index = 0; index < folders.length; index++) {
    const folder = folders[index] ?? ''
    for (const entry of await readdir(join(from, folder), { withFileTypes: true })) {
      signal.throwIfAborted()
      if (folder === '' && isLeftOut(entry.name)) continue
      const path = join(folder, entry.name)
      if (entry.isDirectory()) {
        await mkdir(join(to, path), { mode: 0o700 })
        folders.push(path)
      } else if (entry.isFile()) {
        await copyFile(join(from, path), join(to, path), constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)
        files.push(path)
      } else {
        throw new OrcError(
          'backup_failed',
          `${join(from, path)} is neither a file nor a folder. Stop the Orc and copy the folder by other means.`,
        )
      }
    }
  }
  return { folders, files }
}

/** Makes a copy private and durable. Returns how many bytes it holds. */
export async function sealCopy(root: string, { folders, files }: CopiedFolder): Promise<number> {
  let bytes = 0
  for (const path of files) {
    const full = join(root, path)
    await chmod(full, 0o600)
    bytes += (await stat(full)).size
    await putOnDisk(full)
  }
  for (const path of folders.toReversed()) await putOnDisk(join(root, path))
  return bytes
}
