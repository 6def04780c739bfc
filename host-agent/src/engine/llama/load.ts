import { stat } from 'node:fs/promises'
import { type LlamaModel } from 'node-llama-cpp'
import { defaultThreads, examineModel } from './examine-model.ts'
import { type Backend, startBackend } from './llama-backend.ts'
import { toLoadError } from './load-errors.ts'
import type { LoadOptions } from './load-options.ts'
import type { ModelFacts } from './model-facts.ts'

/** A model in memory, without a context yet. */
export interface LoadedModel {
  readonly model: LlamaModel
  readonly facts: ModelFacts
  readonly threads: number
}

/** Loads a model; `onProgress` hears 0 to 100. Never compiles and never downloads anything. Throws `ModelLoadError`. */
export async function loadModel(
  options: LoadOptions,
  onProgress: (percent: number) => void = () => {},
): Promise<LoadedModel> {
  const { modelPath, gpu } = options
  let backend: Backend | undefined
  try {
    const size = (await stat(modelPath).catch(() => undefined))?.size ?? 0
    const threads = options.threads ?? defaultThreads(size)
    backend = await startBackend(gpu, threads)
    const { facts, plan } = await examineModel(backend.llama, options)
    const model = await backend.llama.loadModel({
      modelPath,
      gpuLayers: plan.gpuLayers,
      // Planned above, within the owner's budget rather than what happens to be free.
      ignoreMemorySafetyChecks: true,
      onLoadProgress: (part) => onProgress(Math.round(part * 100)),
    })
    return { model, facts, threads }
  } catch (error) {
    throw toLoadError(error, modelPath, (await backend?.complaints()) ?? '')
  }
}
