import { fork } from 'node:child_process'
import { ModelLoadError } from '../engine.ts'
import type { LoadOptions } from './load-options.ts'
import type { ModelFacts } from './model-facts.ts'
import { mayHaveGpu } from './gpu-devices.ts'
import { processEnvironment, processPath } from './process-path.ts'
import type { FromInspector, GpuFacts, ToInspector } from './wire.ts'

/** Reading the head of a file takes seconds at most, on a slow disk and a busy machine; so does starting a driver. */
const DEADLINE_MS = 120_000

const NO_GPU: GpuFacts = { type: undefined, devices: [], totalBytes: 0, freeBytes: 0 }

/** What a model's file says, without loading it. Throws `ModelLoadError`, also when the signal is aborted. */
export async function inspectModel(options: LoadOptions, signal?: AbortSignal): Promise<ModelFacts> {
  const found = await ask({ type: 'model', options }, signal)
  if (found?.type === 'model') return found.facts
  if (found?.type === 'load-failed') throw new ModelLoadError(found.code, found.message)
  const message =
    signal?.aborted === true
      ? 'looking at the model was given up'
      : `${options.modelPath} could not be looked at: the process that does so ended; download the file again`
  throw new ModelLoadError('model_load_failed', message, signal?.reason)
}

/** The graphics cards that llama.cpp can use. A driver that fails counts as none. */
export async function probeGpu(signal?: AbortSignal): Promise<GpuFacts> {
  if (!mayHaveGpu()) return NO_GPU
  const found = await ask({ type: 'gpu' }, signal)
  return found?.type === 'gpu' ? found.gpu : NO_GPU
}

/** Asks a process that lives for one question; undefined if it ends without an answer. */
function ask(question: ToInspector, signal: AbortSignal | undefined): Promise<FromInspector | undefined> {
  if (signal?.aborted === true) return Promise.resolve(undefined)
  const child = fork(processPath('inspect-process'), {
    serialization: 'advanced',
    execArgv: [],
    env: processEnvironment(),
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  const kill = (): void => void child.kill('SIGKILL')
  const timer = setTimeout(kill, DEADLINE_MS)
  signal?.addEventListener('abort', kill, { once: true })
  return new Promise<FromInspector | undefined>((resolve) => {
    let found: FromInspector | undefined
    child.once('message', (message) => {
      found = message as FromInspector
    })
    child.once('error', () => resolve(undefined))
    child.once('exit', () => resolve(found))
    child.send(question, () => {})
  }).finally(() => {
    clearTimeout(timer)
    signal?.removeEventListener('abort', kill)
  })
}
