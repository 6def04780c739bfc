import type { Capability } from '@daisi/protocol'
import { discoverLlamaServer } from './discover-llama-server.ts'
import { discoverLmStudio } from './discover-lm-studio.ts'
import { discoverOllama } from './discover-ollama.ts'
import { type ListedModel, listModels } from './model-list.ts'
import { probeEmbedding } from './probe-embedding.ts'
import type { ServerClient } from './server-client.ts'
import type { TextServerSpec } from './server-spec.ts'
import { type TextModel, textModel } from './text-model.ts'

/** Jobs at once where the server does not say. vLLM batches by itself; the others work on one after the other. */
const VLLM_SLOTS = 8

/**
 * The models that a server has now. What the owner says of it wins over what it says. Throws a `ServerError` if it does not
 * answer `GET /v1/models`; facts that it does not tell are assumed, never guessed from names.
 */
export async function discoverModels(
  client: ServerClient,
  spec: TextServerSpec,
  signal: AbortSignal,
): Promise<readonly TextModel[]> {
  const listed = await listModels(client, signal)
  const models = await discover(client, spec, listed, signal)
  const { contextLength, slots, models: kind, can = [] } = spec
  return models.map((model) => ({
    ...model,
    ...(contextLength !== undefined && { contextLength }),
    ...(slots !== undefined && { slots }),
    ...(kind !== undefined && { kind }),
    abilities: [...new Set([...model.abilities, ...abilitiesOf(can)])],
    completes: (model.completes || can.includes('completion')) && (kind ?? model.kind) === 'chat',
  }))
}

function abilitiesOf(can: NonNullable<TextServerSpec['can']>): readonly Capability[] {
  return can.filter((ability) => ability !== 'completion')
}

function discover(
  client: ServerClient,
  spec: TextServerSpec,
  listed: readonly ListedModel[],
  signal: AbortSignal,
): Promise<readonly TextModel[]> | readonly TextModel[] {
  switch (spec.kind) {
    case 'ollama':
      return discoverOllama(client, listed, signal)
    case 'lmstudio':
      return discoverLmStudio(client, listed, signal)
    case 'vllm':
      return discoverVllm(client, spec, listed, signal)
    case 'llama-server':
      return discoverLlamaServer(client, spec, listed, signal)
    case 'openai':
      return listed.flatMap(({ id, max_model_len, context_length }) =>
        textModel(id, { contextLength: max_model_len ?? context_length ?? undefined }),
      )
  }
}

/** vLLM serves one model and adapters of it, and either chats or embeds. */
async function discoverVllm(
  client: ServerClient,
  spec: TextServerSpec,
  listed: readonly ListedModel[],
  signal: AbortSignal,
): Promise<readonly TextModel[]> {
  const kind = spec.models ?? (await probeEmbedding(client, listed[0]?.id, signal))
  const base = listed.find(({ max_model_len }) => typeof max_model_len === 'number')
  return listed.flatMap(({ id, max_model_len }) =>
    textModel(id, {
      kind,
      contextLength: max_model_len ?? base?.max_model_len ?? undefined,
      slots: VLLM_SLOTS,
      completes: kind === 'chat',
    }),
  )
}
