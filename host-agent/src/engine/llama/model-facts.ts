import { type Capability, capability, type ServedKind } from '@daisi/protocol'
import type { GgufFileInfo, GgufInsights } from 'node-llama-cpp'

/** What is known of a model's file without loading it. */
export interface ModelFacts {
  readonly sizeBytes: number
  /** Tokens of context that it was trained with. */
  readonly trainedContext: number
  /** Tokens of context that each of `slots` gets within the memory that may be used. */
  readonly contextLength: number
  readonly slots: number
  readonly kinds: readonly ServedKind[]
  readonly capabilities: readonly Capability[]
  /** Main memory that it takes when it is loaded so, estimated. */
  readonly memoryBytes: number
  /** The same of the GPU. */
  readonly vramBytes: number
}

/** Numbers of `pooling_type` in a file: how the vectors of all tokens become one. */
const POOLING_NONE = 0

/** Architectures that read a text as a whole and write none. */
const READS_ONLY = /bert|embed$|^gemma-embedding$|^t5encoder$/

const CHAT_CAPABILITIES: readonly Capability[] = [
  capability.tokenIds,
  capability.continuation,
  capability.logprobs,
  capability.grammar,
  capability.jsonSchema,
  capability.topK,
  capability.minP,
  capability.repeatPenalty,
  capability.penalties,
  capability.logitBias,
  capability.seed,
]

/** The kinds of work that a model's file is made for. */
export function kindsOf(file: GgufFileInfo, insights: GgufInsights): readonly ServedKind[] {
  if (insights.supportsRanking) return ['ranking']
  const architecture = file.metadata.general.architecture
  const { pooling_type: pooling = POOLING_NONE, attention } = file.architectureMetadata
  if (READS_ONLY.test(architecture) || pooling > POOLING_NONE || attention?.causal === false)
    return ['embedding']
  return ['chat', 'embedding']
}

export function capabilitiesOf(kinds: readonly ServedKind[]): readonly Capability[] {
  return kinds.includes('chat') ? CHAT_CAPABILITIES : []
}
