import { statfs } from 'node:fs/promises'
import { DownloadError } from './download-error.ts'

/** Throws a `DownloadError` if fewer bytes are free in the folder. A file system that does not tell is believed to have them. */
export async function requireSpace(folder: string, neededBytes: number): Promise<void> {
  const found = await statfs(folder).catch(() => undefined)
  if (found === undefined) return
  const freeBytes = found.bavail * found.bsize
  if (freeBytes >= neededBytes) return
  const message = `${folder} has ${gigabytes(freeBytes)} free, and ${gigabytes(neededBytes)} are needed; make room, or choose another folder with --models`
  throw new DownloadError('not_enough_disk', message)
}

/** A failure of the file system as a `DownloadError`. */
export function diskError(folder: string, error: unknown): DownloadError {
  if (error instanceof DownloadError) return error
  const code = codeOf(error)
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new DownloadError(
      'not_enough_disk',
      `${folder} is full; make room and start the download again: it goes on where it stopped`,
      { cause: error },
    )
  const message = `${folder} cannot be used (${code ?? 'unknown'}); check its permissions and its disk, or choose another folder with --models`
  return new DownloadError('disk_failed', message, { cause: error })
}

/** The code of a file system's error, or of what caused it. */
function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  if ('code' in error && typeof error.code === 'string' && /^E[A-Z]+$/.test(error.code)) return error.code
  return codeOf(error.cause)
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`
}
