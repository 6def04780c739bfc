import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, rename } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { RANDOM_MODEL_PROGRAM } from './paths.ts'

const SHAPE = ['--layers', '12', '--embd', '512', '--heads', '8', '--kv-heads', '4', '--ff', '1536']

/**
 * A model that talks noise, slowly enough to be interrupted in the middle of an answer: it makes some hundred tokens a
 * second and never stops by itself before `contextLength`. Written once for each length and kept.
 */
export async function slowModel(contextLength = 4096): Promise<string> {
  const folder = join(tmpdir(), 'daisi-e2e-models')
  const path = join(folder, `slow-12x512-${contextLength}.gguf`)
  if (existsSync(path)) return path
  await mkdir(folder, { recursive: true })
  const draft = `${path}.${process.pid}`
  const more = ['--vocab', '2048', '--tied', '--ctx', String(contextLength), '--out', draft]
  await promisify(execFile)(process.execPath, [RANDOM_MODEL_PROGRAM, ...SHAPE, ...more])
  await rename(draft, path)
  return path
}
