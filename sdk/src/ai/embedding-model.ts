import type { EmbeddingModelV4 } from '@ai-sdk/provider'
import type { Daisi } from '../daisi.ts'
import { embed } from '../embeddings.ts'
import type { RequestOptions } from '../options.ts'
import { requestOptions } from './call-options.ts'

/** Inputs of one request at most. */
const MAX_INPUTS = 2_048

/** A model that turns texts into vectors. */
export function embeddingModel(client: Daisi, modelId: string, options: RequestOptions): EmbeddingModelV4 {
  return {
    specificationVersion: 'v4',
    provider: 'daisi',
    modelId,
    maxEmbeddingsPerCall: MAX_INPUTS,
    supportsParallelCalls: true,
    async doEmbed({ values, dimensions, ...call }) {
      const request = { model: modelId, input: values, dimensions }
      const { vectors, usage } = await embed(client, request, requestOptions(options, call))
      return {
        embeddings: vectors.map((vector) => [...vector]),
        usage: { tokens: usage.prompt_tokens },
        warnings: [],
      }
    },
  }
}
