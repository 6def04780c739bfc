import { examineModel } from './examine-model.ts'
import { type Backend, startBackend } from './llama-backend.ts'
import { toLoadError } from './load-errors.ts'
import type { LoadOptions } from './load-options.ts'
import type { FromInspector, GpuFacts, ToInspector } from './wire.ts'

/** Looks at one model's file, or at the graphics cards, and ends. So the agent itself holds no native code. */
async function answer(question: ToInspector): Promise<FromInspector> {
  return question.type === 'gpu' ? { type: 'gpu', gpu: await lookAtGpu() } : lookAtModel(question.options)
}

async function lookAtModel(options: LoadOptions): Promise<FromInspector> {
  let backend: Backend | undefined
  try {
    backend = await startBackend(options.gpu, options.threads ?? 1)
    const { facts } = await examineModel(backend.llama, options)
    return { type: 'model', facts }
  } catch (error) {
    const { code, message } = toLoadError(error, options.modelPath, (await backend?.complaints()) ?? '')
    return { type: 'load-failed', code, message }
  }
}

async function lookAtGpu(): Promise<GpuFacts> {
  const { llama } = await startBackend(true, 1)
  if (llama.gpu === false) return { type: undefined, devices: [], totalBytes: 0, freeBytes: 0 }
  const [devices, { total, free }] = await Promise.all([llama.getGpuDeviceNames(), llama.getVramState()])
  return { type: llama.gpu, devices, totalBytes: total, freeBytes: free }
}

process.once('message', (message) => {
  void answer(message as ToInspector).then((found) =>
    process.send?.(found, undefined, {}, () => process.exit(0)),
  )
})
process.on('disconnect', () => process.exit(0))
