import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const GENERATOR = join(import.meta.dirname, '../../../../../models/daisi-nano/random-gguf.mjs')

const SHAPE = { layers: 2, embd: 64, heads: 2, 'kv-heads': 2, ff: 64, vocab: 2048, ctx: 1024, type: 'q8_0' }

/** A model of random weights, 400 kB, made for one kind of work. */
export function randomModel(kind: 'chat' | 'ranking' | 'embedding'): { path: string; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'daisi-model-'))
  const path = join(folder, `${kind}.gguf`)
  const shape = Object.entries(SHAPE).flatMap(([name, value]) => [`--${name}`, String(value)])
  execFileSync(process.execPath, [GENERATOR, ...shape, '--kind', kind, '--out', path])
  return { path, remove: () => rmSync(folder, { recursive: true }) }
}
