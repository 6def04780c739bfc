import { join } from 'node:path'
import { formatBytes } from '../terminal/human-units.ts'
import { ModelLoadError } from '../engine/engine.ts'
import { inspectModel, probeGpu } from '../engine/llama/inspect.ts'
import { type Check, fail, ok } from './check.ts'

export const ENGINE_STARTS = ok('engine', 'llama.cpp starts')

/** Which GPUs llama.cpp sees. */
export async function checkGpu(signal: AbortSignal): Promise<readonly Check[]> {
  const { type, devices, totalBytes, freeBytes } = await probeGpu(signal)
  if (type === undefined) return [ok('gpu', 'none that llama.cpp can use; the CPU does the work')]
  const memory = `${formatBytes(freeBytes)} of ${formatBytes(totalBytes)} free`
  return [ok('gpu', `${devices.join(', ')} (${type}), ${memory}`)]
}

/** Whether llama.cpp starts on this machine. It is to look for a file that is not there: told so, it has started. */
export async function checkStart(stateFolder: string, signal: AbortSignal): Promise<readonly Check[]> {
  const modelPath = join(stateFolder, 'no-such-model.gguf')
  try {
    await inspectModel({ modelPath, slots: 1, gpu: false }, signal)
  } catch (error) {
    if (!(error instanceof ModelLoadError)) throw error
    if (error.code !== 'model_unusable')
      return [
        fail(
          'engine',
          'llama.cpp does not start on this machine',
          'install daisi-host again, with its optional packages: npm install --global daisi-host',
        ),
      ]
  }
  return [ENGINE_STARTS]
}
