import * as z from 'zod'
import type { ServerClient } from './server-client.ts'
import { MOST_MODELS } from './text-model.ts'

/** Context sizes beyond this are no sizes. */
const size = z.int().positive().max(100_000_000)

/** One entry of `GET /v1/models`: OpenAI's shape, with what vLLM, llama-server and an Orc add to it. */
const listedModel = z.looseObject({
  id: z.string().min(1).max(1_024),
  owned_by: z.string().nullish().catch(undefined),
  /** vLLM: of an adapter, the model that it belongs to. */
  parent: z.string().nullish().catch(undefined),
  /** vLLM. */
  max_model_len: size.nullish().catch(undefined),
  /** Orcs, and several gateways. */
  context_length: size.nullish().catch(undefined),
  /** llama-server. */
  meta: z
    .looseObject({ size: size.or(z.int().nonnegative()).nullish() })
    .nullish()
    .catch(undefined),
})
export type ListedModel = z.infer<typeof listedModel>

const modelList = z.looseObject({ data: z.array(listedModel) })

/** What a server lists under `/v1/models`, at most `MOST_MODELS`. Throws a `ServerError`. */
export async function listModels(client: ServerClient, signal: AbortSignal): Promise<readonly ListedModel[]> {
  const { data } = await client.json('/v1/models', modelList, { signal })
  return data.slice(0, MOST_MODELS)
}
