import { type Capability, capability, type OutputFormat, type Sampling } from '@daisi/protocol'
import type { TextServerKind } from './server-spec.ts'

/** What one kind of server understands beyond OpenAI's usual parameters, and how it is said there. */
export interface Dialect {
  /** Only what the server is documented to honour: some ignore silently what they do not know. What depends on the model is not among them. */
  readonly capabilities: readonly Capability[]
  readonly topK?: (value: number) => object
  readonly repeatPenalty?: (value: number) => object
  readonly logitBias?: (value: NonNullable<Sampling['logitBias']>) => object
  readonly output?: (format: OutputFormat) => object | undefined
  /** What of `tool_choice` it honours: nothing but the default, that some tool must be called, or also which. */
  readonly toolChoice: 'auto' | 'required' | 'named'
  /** True if the arguments of calls always fit their schema. */
  readonly fitsTools: boolean
  /** The least effort of thinking that it knows beside none. */
  readonly leastEffort: 'minimal' | 'low'
  /** Whose words completions are asked for in. */
  readonly completions: 'openai' | 'llama-server' | 'ollama'
  /** Where a message has what the model thought. */
  readonly reasoningField?: 'reasoning' | 'reasoning_content'
  /** True if inputs of embeddings and completions may be ids of tokens. */
  readonly takesTokens: boolean
  /** Further `stream_options`. */
  readonly streamOptions?: object
  /** True if `max_tokens` that do not fit into the context beside the prompt are an error, not a limit. */
  readonly isStrict: boolean
  /** True if prompts that are too long are cut without a word. */
  readonly cutsPrompts: boolean
}

const { jsonSchema, logitBias, minP, penalties, repeatPenalty, seed, topK } = capability

function jsonSchemaFormat(schema: Readonly<Record<string, unknown>>): object {
  return { response_format: { type: 'json_schema', json_schema: { name: 'answer', strict: true, schema } } }
}

function openAiFormat(format: OutputFormat): object | undefined {
  if (format.type === 'json') return { response_format: { type: 'json_object' } }
  return format.type === 'json-schema' ? jsonSchemaFormat(format.schema) : undefined
}

export const dialects: Readonly<Record<TextServerKind, Dialect>> = {
  /** Its OpenAI endpoint knows neither top_k, min_p, repeat_penalty nor logit_bias. */
  ollama: {
    capabilities: [jsonSchema, penalties, seed],
    output: openAiFormat,
    toolChoice: 'auto',
    fitsTools: false,
    leastEffort: 'low',
    completions: 'ollama',
    reasoningField: 'reasoning',
    takesTokens: false,
    isStrict: false,
    cutsPrompts: true,
  },
  /** Takes no `json_object`; a schema of any object says the same. */
  lmstudio: {
    capabilities: [jsonSchema, topK, repeatPenalty, penalties, logitBias, seed],
    topK: (value) => ({ top_k: value }),
    repeatPenalty: (value) => ({ repeat_penalty: value }),
    logitBias: (value) => ({ logit_bias: value }),
    output: (format) =>
      format.type === 'json' ? jsonSchemaFormat({ type: 'object' }) : openAiFormat(format),
    toolChoice: 'required',
    fitsTools: false,
    leastEffort: 'low',
    completions: 'openai',
    takesTokens: false,
    isStrict: false,
    cutsPrompts: true,
  },
  /**
   * Older versions know "all" as -1 only. Its repetition penalty looks at the whole text, prompt included. It can count in each
   * chunk, so that an answer that is broken off has its count too.
   */
  vllm: {
    capabilities: [jsonSchema, topK, minP, repeatPenalty, penalties, logitBias, seed],
    topK: (value) => ({ top_k: value === 0 ? -1 : value }),
    repeatPenalty: (value) => ({ repetition_penalty: value }),
    logitBias: (value) => ({ logit_bias: value }),
    output: openAiFormat,
    toolChoice: 'named',
    fitsTools: false,
    leastEffort: 'low',
    completions: 'openai',
    reasoningField: 'reasoning_content',
    takesTokens: true,
    streamOptions: { continuous_usage_stats: true },
    isStrict: true,
    cutsPrompts: false,
  },
  /**
   * Pairs are the form of `logit_bias` that every version takes. It knows grammars as well, but one by a stranger could end the whole
   * server, which its owner uses too. It writes calls of tools under a grammar of its own making.
   */
  'llama-server': {
    capabilities: [jsonSchema, topK, minP, repeatPenalty, penalties, logitBias, seed],
    topK: (value) => ({ top_k: value }),
    repeatPenalty: (value) => ({ repeat_penalty: value, repeat_last_n: 64 }),
    logitBias: (value) => ({ logit_bias: Object.entries(value).map(([id, bias]) => [Number(id), bias]) }),
    output: openAiFormat,
    toolChoice: 'required',
    fitsTools: true,
    leastEffort: 'low',
    completions: 'llama-server',
    reasoningField: 'reasoning_content',
    takesTokens: true,
    isStrict: false,
    cutsPrompts: false,
  },
  /** Unknown servers are trusted with what all of them share. */
  openai: {
    capabilities: [penalties, seed],
    toolChoice: 'named',
    fitsTools: false,
    leastEffort: 'minimal',
    completions: 'openai',
    takesTokens: false,
    isStrict: true,
    cutsPrompts: false,
  },
}
