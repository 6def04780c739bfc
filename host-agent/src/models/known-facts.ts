import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { capability, count, jobPayloads, type ServedKind } from '@daisi/protocol'
import * as z from 'zod'
import { inspectModel } from '../engine/llama/inspect.ts'
import type { LoadOptions } from '../engine/llama/load-options.ts'
import type { ModelFacts } from '../engine/llama/model-facts.ts'
import { readJsonFile, writeJsonFile } from '../state/json-file.ts'
import { AGENT_VERSION } from '../version.ts'

/** Files and ways to load them that are remembered: the newest. */
const MOST_REMEMBERED = 256

const kinds = Object.keys(jobPayloads) as [ServedKind, ...ServedKind[]]
const modelFacts = z.object({
  sizeBytes: count,
  trainedContext: count,
  contextLength: count,
  slots: count,
  kinds: z.array(z.enum(kinds)),
  capabilities: z.array(z.enum(Object.values(capability))),
  memoryBytes: count,
  vramBytes: count,
}) satisfies z.ZodType<ModelFacts>
const factsFile = z.record(z.string(), modelFacts)

/**
 * What a model's file says, remembered by its hash and by how it is loaded: looking at it takes seconds of each start. Throws
 * `ModelLoadError`.
 */
export async function factsOf(
  stateFolder: string,
  sha256: string,
  load: LoadOptions,
  signal: AbortSignal,
): Promise<ModelFacts> {
  const path = join(stateFolder, 'model-facts.json')
  const key = keyOf(sha256, load)
  // It can be found out again: a broken file is no reason to stop.
  const known = await readJsonFile(path, factsFile).catch(() => undefined)
  const remembered = known?.[key]
  if (remembered !== undefined) return remembered
  const facts = await inspectModel(load, signal)
  const recent = Object.entries(known ?? {}).slice(1 - MOST_REMEMBERED)
  await writeJsonFile(path, { ...Object.fromEntries(recent), [key]: facts }).catch(() => {})
  return facts
}

function keyOf(sha256: string, load: LoadOptions): string {
  // The hash says which file it is, wherever it lies.
  const facts = Object.entries({ ...load, modelPath: '', version: AGENT_VERSION })
  const how = JSON.stringify(facts.toSorted(([one], [other]) => (one < other ? -1 : 1)))
  return createHash('sha256').update(sha256).update(how).digest('hex').slice(0, 32)
}
