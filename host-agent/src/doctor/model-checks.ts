import { formatBytes, formatCount } from '../terminal/human-units.ts'
import { ModelLoadError } from '../engine/engine.ts'
import { inspectModel } from '../engine/llama/inspect.ts'
import type { AgentConfig } from '../state/agent-config.ts'
import type { RegisteredModel } from '../store/model-registry.ts'
import { verifyModel } from '../store/verify-model.ts'
import { type Check, failWith, ok } from './check.ts'

/** Whether a model is the file that was added; and whether it fits into memory, as an agent of that configuration would load it. */
export async function checkModel(
  model: RegisteredModel,
  stateFolder: string,
  config: AgentConfig | undefined,
  signal: AbortSignal,
): Promise<readonly Check[]> {
  const name = `model ${model.id}`
  const verified = await verifyModel(stateFolder, model)
  if (!verified.ok) return [failWith(name, verified.message)]
  if (config === undefined) return [ok(name, 'is the file that was added')]
  const { slots, gpu, contextLength, settings } = config
  const { memoryBytes, vramBytes, threads } = settings
  const options = {
    modelPath: model.path,
    slots,
    gpu,
    ...(contextLength !== null && { contextLength }),
    ...(memoryBytes !== null && { memoryBytes }),
    ...(vramBytes !== null && { vramBytes }),
    ...(threads !== null && { threads }),
  }
  try {
    const facts = await inspectModel(options, signal)
    const needs = formatBytes(facts.memoryBytes + facts.vramBytes)
    const context = `${formatCount(facts.contextLength)} tokens of context`
    return [ok(name, `${facts.kinds.join(', ')}; ${context}, about ${needs} of memory`)]
  } catch (error) {
    if (!(error instanceof ModelLoadError)) throw error
    return [failWith(name, error.message)]
  }
}
