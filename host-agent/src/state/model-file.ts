import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { count, sha256Hex } from '@daisi/protocol'
import * as z from 'zod'
import { ExitCode, FatalError } from '../exit-codes.ts'
import { readJsonFile, writeJsonFile } from './json-file.ts'

const hashes = z.record(z.string(), z.object({ sizeBytes: count, modifiedMs: z.number(), sha256: sha256Hex }))

/** A model file that exists and begins like one. */
export interface ModelFile {
  readonly path: string
  readonly sizeBytes: number
  readonly modifiedMs: number
}

/** Finds a model file. Throws a `FatalError` that says what is wrong with the path. */
export async function findModel(path: string): Promise<ModelFile> {
  const real = await realpath(path).catch((cause: unknown) => {
    throw modelError(`${path} does not exist; give the path of a GGUF file with --model`, cause)
  })
  const { size, mtimeMs } = await stat(real)
  if ((await readMagic(real)) !== 'GGUF')
    throw modelError(`${path} is no GGUF file; download the model again, or give another one`)
  return { path: real, sizeBytes: size, modifiedMs: mtimeMs }
}

/** The file's SHA-256. Read once and remembered until size or date of the file change. */
export async function hashModel(stateFolder: string, model: ModelFile): Promise<string> {
  const known = (await readJsonFile(cachePathOf(stateFolder), hashes)) ?? {}
  const entry = known[model.path]
  if (entry?.sizeBytes === model.sizeBytes && entry.modifiedMs === model.modifiedMs) return entry.sha256
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(model.path)) hash.update(chunk as Buffer)
  const sha256 = hash.digest('hex')
  await rememberHash(stateFolder, model, sha256)
  return sha256
}

/** Notes what is known already, so that `hashModel` need not read the file. */
export async function rememberHash(stateFolder: string, model: ModelFile, sha256: string): Promise<void> {
  const cachePath = cachePathOf(stateFolder)
  const known = (await readJsonFile(cachePath, hashes)) ?? {}
  const { path, sizeBytes, modifiedMs } = model
  await writeJsonFile(cachePath, { ...known, [path]: { sizeBytes, modifiedMs, sha256 } })
}

function cachePathOf(stateFolder: string): string {
  return join(stateFolder, 'model-hashes.json')
}

async function readMagic(path: string): Promise<string> {
  try {
    const file = await open(path)
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0)
      return buffer.toString('latin1', 0, bytesRead)
    } finally {
      await file.close()
    }
  } catch (cause) {
    throw modelError(
      `${path} cannot be read; check its permissions, or give another file with --model`,
      cause,
    )
  }
}

function modelError(message: string, cause?: unknown): FatalError {
  return new FatalError(ExitCode.Model, 'model_unusable', message, cause)
}
