import { join } from 'node:path'
import { formatBytes } from '../commands/human-units.ts'
import { ModelLoadError } from '../engine/engine.ts'
import { inspectModel, probeGpu } from '../engine/llama/inspect.ts'
import { type Check, fail, ok } from './check.ts'

/** Whether llama.cpp starts on this machine, and which GPUs it sees. */
export async function checkEngine(stateFolder: string, signal: AbortSignal): Promise<readonly Check[]> {
  const [engine, gpu] = await Promise.all([checkStart(stateFolder, signal), probeGpu(signal)])
  if (gpu.type === undefined) return [engine, ok('gpu', 'none that llama.cpp can use; the CPU does the work')]
  const { type, devices, totalBytes, freeBytes } = gpu
  const memory = `${formatBytes(freeBytes)} of ${formatBytes(totalBytes)} free`
  return [engine, ok('gpu', `${devices.join(', ')} (${type}), ${memory}`)]
}

/** It looks for a file that is not there: told so, it has started. */
async function checkStart(stateFolder: string, signal: AbortSignal): Promise<Check> {
  const modelPath = join(stateFolder, 'no-such-model.gguf')
  try {
    await inspectModel({ modelPath, slots: 1, gpu: false }, signal)
  } catch (error) {
    if (!(error instanceof ModelLoadError)) throw error
    if (error.code !== 'model_unusable')
      return fail(
        'engine',
        'llama.cpp does not start on this machine',
        'install daisi-host again, with its optional packages: npm install --global daisi-host',
      )
  }
  return ok('engine', 'llama.cpp starts')
}
