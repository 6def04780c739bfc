import { stat } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import {
  getLlama,
  type ChatWrapper,
  type LlamaContext,
  type LlamaModel,
  LlamaLogLevel,
  resolveChatWrapper,
} from 'node-llama-cpp'

/** How to load a model. */
export interface LoadOptions {
  readonly modelPath: string
  readonly slots: number
  /** Tokens of context per slot; absent: what the model was trained for, at most `DEFAULT_CONTEXT`. */
  readonly contextLength?: number
  readonly threads?: number
  /** False keeps the work on the CPU. */
  readonly gpu: boolean
}

/** A model in memory, with one context that all slots share. */
export interface LoadedModel {
  readonly model: LlamaModel
  readonly context: LlamaContext
  readonly wrapper: ChatWrapper
  readonly sizeBytes: number
}

/** Context per slot where none is asked for: enough to be useful, small enough for any machine. */
const DEFAULT_CONTEXT = 4096

/** Below this size threads spend longer waiting for each other than computing. */
const SINGLE_THREAD_BYTES = 64 * 1024 * 1024

/** Loads a model. Never compiles and never downloads anything. */
export async function loadModel(options: LoadOptions): Promise<LoadedModel> {
  const { size } = await stat(options.modelPath)
  const threads = options.threads ?? (size < SINGLE_THREAD_BYTES ? 1 : availableParallelism())
  const llama = await getLlama({
    gpu: options.gpu ? 'auto' : false,
    build: 'never',
    skipDownload: true,
    progressLogs: false,
    logLevel: LlamaLogLevel.error,
    maxThreads: threads,
  })
  const model = await llama.loadModel({ modelPath: options.modelPath })
  const contextSize = options.contextLength ?? Math.min(model.trainContextSize, DEFAULT_CONTEXT)
  const context = await model.createContext({ sequences: options.slots, contextSize, threads })
  return { model, context, wrapper: resolveChatWrapper(model), sizeBytes: size }
}
