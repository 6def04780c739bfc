import type { ServedKind } from '@daisi/protocol'
import type { GgufInsights, Llama } from 'node-llama-cpp'
import { ModelLoadError } from '../engine.ts'
import type { LoadOptions } from './load-options.ts'

/** The shortest context that is worth serving. */
const SHORTEST_CONTEXT = 512
/** Contexts are sized in steps of this many tokens. */
const CONTEXT_STEP = 256
/** Inputs longer than this are read as chat, not turned into one vector or score. */
const LONGEST_INPUT = 8_192
/** Tokens evaluated in one batch. */
const BATCH_TOKENS = 512

/** How a model is laid out in memory. Both amounts are estimates, in bytes. */
export interface MemoryPlan {
  readonly gpuLayers: number
  /** Tokens of context per slot. */
  readonly contextLength: number
  readonly memoryBytes: number
  readonly vramBytes: number
}

interface Amounts {
  readonly cpuRam: number
  readonly gpuVram: number
}

/** Chooses the longest context that fits. Throws `ModelLoadError` with `not_enough_memory` if not even the shortest does. */
export async function planMemory(
  llama: Llama,
  insights: GgufInsights,
  kinds: readonly ServedKind[],
  options: LoadOptions,
): Promise<MemoryPlan> {
  const budget = await budgetOf(llama, options)
  const gpuLayers = await chooseGpuLayers(llama, insights, budget)
  const model = await insights.estimateModelResourceRequirementsV2({ gpuLayers })
  const longest = Math.min(
    options.contextLength ?? Number.POSITIVE_INFINITY,
    insights.trainContextSize ?? 4_096,
  )
  const amountsOf = async (context: number): Promise<Amounts> => {
    const contexts = await contextAmounts(insights, kinds, options.slots, context, gpuLayers)
    return {
      cpuRam: model.cpuRam + contexts.cpuRam,
      gpuVram: model.gpuVram + contexts.gpuVram,
    }
  }
  const planOf = (contextLength: number, { cpuRam, gpuVram }: Amounts): MemoryPlan => ({
    gpuLayers,
    contextLength,
    memoryBytes: cpuRam,
    vramBytes: gpuVram,
  })

  const wanted = await amountsOf(longest)
  if (fits(wanted, budget)) return planOf(longest, wanted)
  const shortest = Math.min(SHORTEST_CONTEXT, longest)
  const least = await amountsOf(shortest)
  if (!fits(least, budget)) throw tooLarge(options, least, budget)
  let best = planOf(shortest, least)
  let low = Math.ceil(shortest / CONTEXT_STEP) + 1
  let high = Math.ceil(longest / CONTEXT_STEP) - 1
  while (low <= high) {
    const steps = (low + high) >> 1
    const amounts = await amountsOf(steps * CONTEXT_STEP)
    if (fits(amounts, budget)) {
      best = planOf(steps * CONTEXT_STEP, amounts)
      low = steps + 1
    } else high = steps - 1
  }
  return best
}

interface Budget extends Amounts {
  /** GPU memory that is main memory as well, as on Apple's chips. */
  readonly shared: boolean
}

async function budgetOf(llama: Llama, { memoryBytes, vramBytes }: LoadOptions): Promise<Budget> {
  const [ram, vram] = await Promise.all([llama.getRamState(), llama.getVramState()])
  return {
    cpuRam: Math.min(memoryBytes ?? ram.free, ram.total),
    gpuVram: llama.gpu === false ? 0 : Math.min(vramBytes ?? vram.free, vram.total),
    shared: vram.unifiedSize > 0,
  }
}

function fits({ cpuRam, gpuVram }: Amounts, budget: Budget): boolean {
  if (gpuVram > budget.gpuVram) return false
  return cpuRam + (budget.shared ? gpuVram : 0) <= budget.cpuRam
}

/** As many layers as the GPU's part of the budget holds beside the shortest context. */
async function chooseGpuLayers(llama: Llama, insights: GgufInsights, budget: Budget): Promise<number> {
  if (llama.gpu === false || budget.gpuVram === 0) return 0
  const { gpuLayers } = await insights.configurationResolver.resolveModelGpuLayersV2('auto', {
    getVramState: async () => ({ total: budget.gpuVram, free: budget.gpuVram, unifiedSize: 0 }),
  })
  return gpuLayers
}

async function contextAmounts(
  insights: GgufInsights,
  kinds: readonly ServedKind[],
  slots: number,
  context: number,
  modelGpuLayers: number,
): Promise<Amounts> {
  const none = { cpuRam: 0, gpuVram: 0 }
  const chat = kinds.includes('chat')
    ? await insights.estimateContextResourceRequirementsV2({
        contextSize: padded(context),
        sequences: slots,
        batchSize: Math.min(padded(context) * slots, BATCH_TOKENS),
        modelGpuLayers,
      })
    : none
  const input = inputContext(context)
  const reading = kinds.some((kind) => kind === 'embedding' || kind === 'ranking')
    ? await insights.estimateContextResourceRequirementsV2({
        contextSize: padded(input),
        sequences: 1,
        batchSize: inputBatch(input, kinds),
        modelGpuLayers,
        isEmbeddingContext: true,
      })
    : none
  return { cpuRam: chat.cpuRam + reading.cpuRam, gpuVram: chat.gpuVram + reading.gpuVram }
}

function padded(context: number): number {
  return Math.ceil(context / CONTEXT_STEP) * CONTEXT_STEP
}

/** Tokens that one input of an embedding or a ranking may have. */
export function inputContext(contextLength: number): number {
  return Math.min(contextLength, LONGEST_INPUT)
}

/** A model that reads a text as a whole must get it in one batch; one that can chat reads on token by token. */
export function inputBatch(context: number, kinds: readonly ServedKind[]): number {
  return kinds.includes('chat') ? Math.min(context, BATCH_TOKENS) : padded(context)
}

function tooLarge({ modelPath, slots }: LoadOptions, needed: Amounts, budget: Budget): ModelLoadError {
  const megabytes = (bytes: number): string => `${Math.ceil(bytes / 1e6)} MB`
  const gpu = budget.gpuVram > 0 ? ` and ${megabytes(needed.gpuVram)} of the GPU's` : ''
  const message = `${modelPath} needs ${megabytes(needed.cpuRam)} of memory${gpu} with ${slots} slots, and may take ${megabytes(budget.cpuRam)}; raise the memory budget, lower the slots, or choose a smaller model`
  return new ModelLoadError('not_enough_memory', message)
}
