import type { EmbeddingModelV4, LanguageModelV4 } from '@ai-sdk/provider'
import { embeddingModel } from './ai/embedding-model.ts'
import { DaisiLanguageModel } from './ai/language-model.ts'
import type { Daisi } from './daisi.ts'
import type { RequestOptions } from './options.ts'

/** Models of a DAISI network for the AI SDK (the package `ai`, version 7). */
export interface DaisiProvider {
  (modelId: string): LanguageModelV4
  languageModel(modelId: string): LanguageModelV4
  embeddingModel(modelId: string): EmbeddingModelV4
}

/** Settings of every call of a provider. How often a request is sent again is said here or in the client: `maxRetries` of the AI SDK does not reach it. */
export type ProviderOptions = Omit<RequestOptions, 'signal' | 'idempotencyKey'>

/**
 * A provider for the AI SDK.
 *
 * @example
 * ```ts
 * const daisi = createDaisi(new Daisi({ baseURL: 'https://orc.example.com/v1', apiKey }))
 * const { text } = await generateText({ model: daisi('daisi-nano'), prompt: 'Hello' })
 * ```
 */
export function createDaisi(client: Daisi, options: ProviderOptions = {}): DaisiProvider {
  const languageModel = (modelId: string): LanguageModelV4 => new DaisiLanguageModel(client, modelId, options)
  return Object.assign(languageModel.bind(undefined), {
    languageModel,
    embeddingModel: (modelId: string) => embeddingModel(client, modelId, options),
  })
}
