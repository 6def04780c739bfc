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

const ANSWER_CAPABILITIES: readonly Capability[] = [
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
  capability.tools,
  capability.countOnly,
]

/** Texts of the tokens that fill-in-the-middle models were trained with, by which llama.cpp knows them where a file does not say. */
const FIM_PREFIXES = [
  '<|fim_prefix|>',
  '<fim-prefix>',
  '<fim_prefix>',
  '<PRE>',
  '▁<PRE>',
  '<｜fim▁begin｜>',
  '<|fim_begin|>',
  '<|code_prefix|>',
]

/** The kinds of work that a model's file is made for. */
export function kindsOf(file: GgufFileInfo, insights: GgufInsights): readonly ServedKind[] {
  if (insights.supportsRanking) return ['ranking']
  const architecture = file.metadata.general.architecture
  const { pooling_type: pooling = POOLING_NONE, attention } = file.architectureMetadata
  if (READS_ONLY.test(architecture) || pooling > POOLING_NONE || attention?.causal === false)
    return ['embedding']
  return ['chat', 'completion', 'embedding']
}

export function capabilitiesOf(file: GgufFileInfo, kinds: readonly ServedKind[]): readonly Capability[] {
  if (!kinds.includes('chat')) return []
  return [
    ...ANSWER_CAPABILITIES,
    ...(hasInfill(file) ? [capability.infill] : []),
    ...(takesEffort(file) ? [capability.reasoningEffort] : []),
  ]
}

function hasInfill({ metadata }: GgufFileInfo): boolean {
  const { ggml } = metadata.tokenizer
  const named = ['fim_pre_token_id', 'prefix_token_id'].some((name) => name in ggml)
  return named || FIM_PREFIXES.some((text) => ggml.tokens.includes(text))
}

function takesEffort({ metadata }: GgufFileInfo): boolean {
  const { chat_template: template } = metadata.tokenizer as { readonly chat_template?: unknown }
  return typeof template === 'string' && /enable_thinking|reasoning_effort/.test(template)
}
