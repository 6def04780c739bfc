import { stat } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { GgufInsights, type GgufFileInfo, type Llama, readGgufFileInfo } from 'node-llama-cpp'
import { ModelLoadError } from '../engine.ts'
import { checkGguf } from './gguf-check.ts'
import type { LoadOptions } from './load-options.ts'
import { type MemoryPlan, planMemory } from './memory-plan.ts'
import { capabilitiesOf, kindsOf, type ModelFacts } from './model-facts.ts'

/** Below this size threads spend longer waiting for each other than computing. */
const SINGLE_THREAD_BYTES = 64 * 1024 * 1024

/** A model's file, understood, and how it is to be laid out in memory. */
export interface ExaminedModel {
  readonly facts: ModelFacts
  readonly plan: MemoryPlan
}

/** Reads a model's file as far as it says what the model is. Throws `ModelLoadError`, or an error of the library. */
export async function examineModel(llama: Llama, options: LoadOptions): Promise<ExaminedModel> {
  const { modelPath, slots } = options
  checkGguf(modelPath)
  const file = await readGgufFileInfo(modelPath, { sourceType: 'filesystem', logWarnings: false })
  const insights = await GgufInsights.from(file, llama)
  if (!insights.isSupportedByLlamaCpp || (insights.hasEncoder && insights.hasDecoder)) {
    const message = `${modelPath} is a model of the architecture ${file.metadata.general.architecture}, which this version of daisi-host cannot run; update it or choose another model`
    throw new ModelLoadError('model_unsupported', message)
  }
  const sizeBytes = await sizeOf(file, modelPath)
  checkComplete(file, insights, sizeBytes, modelPath)
  const kinds = kindsOf(file, insights)
  const plan = await planMemory(llama, insights, kinds, options)
  const facts = {
    sizeBytes,
    trainedContext: insights.trainContextSize ?? plan.contextLength,
    contextLength: plan.contextLength,
    slots,
    kinds,
    capabilities: capabilitiesOf(file, kinds),
    memoryBytes: plan.memoryBytes,
    vramBytes: plan.vramBytes,
  }
  return { facts, plan }
}

/** Threads for a model of this size where nobody says how many. */
export function defaultThreads(sizeBytes: number): number {
  return sizeBytes < SINGLE_THREAD_BYTES ? 1 : availableParallelism()
}

async function sizeOf(file: GgufFileInfo, modelPath: string): Promise<number> {
  const paths = file.sourceData.flatMap((source) => (source.type === 'path' ? [source.path] : []))
  const sizes = await Promise.all(
    (paths.length > 0 ? paths : [modelPath]).map(async (path) => (await stat(path)).size),
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}

function checkComplete(
  file: GgufFileInfo,
  insights: GgufInsights,
  sizeBytes: number,
  modelPath: string,
): void {
  // Where the weights begin in each part of the file.
  const starts = new Map<number, number>()
  for (const { filePart, fileOffset, offset } of file.fullTensorInfo ?? [])
    if (!starts.has(filePart)) starts.set(filePart, Number(fileOffset) - Number(offset))
  const heads = [...starts.values()].reduce((sum, start) => sum + start, 0)
  if (heads + insights.modelSize <= sizeBytes) return
  throw new ModelLoadError('model_damaged', `${modelPath} ends early; download it again`)
}
