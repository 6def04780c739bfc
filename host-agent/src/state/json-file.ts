import { randomBytes } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type * as z from 'zod'
import { ExitCode, FatalError } from '../exit-codes.ts'

/** The value in a state file, or undefined if there is none. A broken file is an error and stays as it is. */
export async function readJsonFile<Value>(
  path: string,
  schema: z.ZodType<Value>,
): Promise<Value | undefined> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if (isMissing(error)) return undefined
    throw stateError(path, 'cannot be read; check its owner and permissions', error)
  }
  try {
    return schema.parse(JSON.parse(text))
  } catch (error) {
    throw stateError(path, 'is broken; restore it from a backup, or move it away to start anew', error)
  }
}

/** The values in all state files of a folder, which may be missing. */
export async function readJsonFolder<Value>(folder: string, schema: z.ZodType<Value>): Promise<Value[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (isMissing(error)) return []
    throw stateError(folder, 'cannot be read; check its owner and permissions', error)
  })
  const files = names.filter((name) => name.endsWith('.json'))
  const values = await Promise.all(files.map((name) => readJsonFile(join(folder, name), schema)))
  return values.filter((value) => value !== undefined)
}

/** Replaces a state file in one step, readable by its owner only. A crash leaves the old or the new one, never a part. */
export async function writeJsonFile(path: string, value: unknown): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    const file = await open(temporary, 'wx', 0o600)
    try {
      await file.writeFile(`${JSON.stringify(value, undefined, 2)}\n`)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
    await syncFolder(dirname(path))
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {})
    throw stateError(path, 'cannot be written; check the folder, its permissions and the free space', error)
  }
}

/** Makes a rename survive a power cut. Windows cannot open folders, and does not need it. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}

function stateError(path: string, problem: string, cause: unknown): FatalError {
  return new FatalError(ExitCode.State, 'state_unusable', `${path} ${problem}`, cause)
}
