import { setImmediate } from 'node:timers/promises'
import { getLlama, type Llama, LlamaLogLevel } from 'node-llama-cpp'
import { mayHaveGpu } from './gpu-devices.ts'

/** Lines of llama.cpp's own complaints that are kept. */
const MOST_LINES = 40

/** llama.cpp, ready to load a model, and what it complained about. */
export interface Backend {
  readonly llama: Llama
  /** Its last errors, one a line. They tell why a model does not load. */
  readonly complaints: () => Promise<string>
}

/** Starts llama.cpp. Never compiles and never downloads anything. */
export async function startBackend(gpu: boolean, threads: number): Promise<Backend> {
  const lines: string[] = []
  const llama = await getLlama({
    gpu: gpu && mayHaveGpu() ? 'auto' : false,
    build: 'never',
    skipDownload: true,
    progressLogs: false,
    logLevel: LlamaLogLevel.error,
    logger: (_level, message) => {
      lines.push(message)
      if (lines.length > MOST_LINES) lines.shift()
    },
    maxThreads: threads,
  })
  const complaints = async (): Promise<string> => {
    // They come from other threads, a turn of the loop after what they are about.
    await setImmediate()
    return lines.join('\n')
  }
  return { llama, complaints }
}
