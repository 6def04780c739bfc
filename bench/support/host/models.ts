import { join } from 'node:path'
import { RANDOM_MODEL_NAME, randomModel } from '../random-model.ts'

/** A model that the tables are made with. */
export interface BenchModel {
  readonly name: string
  readonly path: string
}

/** One so small that what surrounds the computing shows, and one as slow as a real one. */
export async function benchModels(): Promise<{ readonly nano: BenchModel; readonly large: BenchModel }> {
  const nanoPath = join(import.meta.dirname, '../../../models/daisi-nano/daisi-nano.gguf')
  return {
    nano: { name: 'daisi-nano, 2.9M parameters, q8_0', path: nanoPath },
    large: { name: RANDOM_MODEL_NAME, path: await randomModel() },
  }
}

/** Prompts to look through for answers of full length. */
const CANDIDATES = 150

/** The first prompts whose answers have full length: only those are as much work for both sides. */
export async function fullLengthPrompts(
  wanted: number,
  maxTokens: number,
  tryOut: (prompt: string) => Promise<{ readonly tokens: number; readonly whole: boolean }>,
): Promise<string[]> {
  const prompts: string[] = []
  for (let index = 0; index < CANDIDATES && prompts.length < wanted; index++) {
    const prompt = `Count from ${index % 10} to ${60 + index} and say what comes next.`
    const { tokens, whole } = await tryOut(prompt)
    if (tokens === maxTokens && whole) prompts.push(prompt)
  }
  if (prompts.length < wanted) throw new Error(`only ${prompts.length} prompts give answers of full length`)
  return prompts
}
