import { LlamaSource } from '../engine/llama/llama-source.ts'
import type { Logger } from '../log.ts'
import type { OwnerWishes } from '../policy/owner-wishes.ts'
import { factsOf } from './known-facts.ts'
import type { ModelKeeperOptions, ServedFile } from './model-keeper.ts'
import type { ModelSource } from '../engine/model-source.ts'

export interface LlamaSourceFactoryOptions {
  readonly owner: OwnerWishes
  readonly budget: () => { readonly mainBytes: number; readonly gpuBytes: number }
  readonly stateFolder: string
  readonly slots: number
  readonly contextLength: number | undefined
  readonly gpu: boolean
  readonly logger: Logger
}

/** Makes models that llama.cpp runs out of files, with as much of this machine as its owner gives. */
export function llamaSourceFactory(options: LlamaSourceFactoryOptions): ModelKeeperOptions['createSource'] {
  const { owner, budget, stateFolder, slots, gpu, logger } = options
  return async (file: ServedFile, signal: AbortSignal): Promise<ModelSource> => {
    const { threads } = owner.settings
    const { mainBytes, gpuBytes } = budget()
    const lengths = [options.contextLength, file.contextLength].filter((length) => length !== undefined)
    const load = {
      modelPath: file.path,
      slots,
      gpu,
      memoryBytes: mainBytes,
      vramBytes: gpuBytes,
      ...(lengths.length > 0 && { contextLength: Math.min(...lengths) }),
      ...(threads !== null && { threads }),
    }
    const facts = await factsOf(stateFolder, file.sha256, load, signal)
    const { id, aliases, sha256, kinds, defaultSampling } = file
    const served = kinds === undefined ? facts.kinds : facts.kinds.filter((kind) => kinds.includes(kind))
    return new LlamaSource({
      id,
      aliases,
      sha256,
      ...(defaultSampling !== undefined && { defaultSampling }),
      facts: { ...facts, kinds: served.length > 0 ? served : facts.kinds },
      load,
      logger,
    })
  }
}
