import * as z from 'zod'
import type { ListedModel } from './model-list.ts'
import type { ServerClient } from './server-client.ts'
import { type TextModel, textModel } from './text-model.ts'
import { whereKnown } from './where-known.ts'

const size = z.int().positive().max(100_000_000)
const known = z.looseObject({
  data: z.array(
    z.looseObject({
      id: z.string(),
      /** `llm`, `vlm` or `embeddings`; others are no models to talk to. */
      type: z.string(),
      max_context_length: size.nullish(),
      /** Of a loaded model: what it was loaded with. */
      loaded_context_length: size.nullish(),
    }),
  ),
})

/** The models of LM Studio, with what its own API tells of them. */
export async function discoverLmStudio(
  client: ServerClient,
  listed: readonly ListedModel[],
  signal: AbortSignal,
): Promise<readonly TextModel[]> {
  const told = await whereKnown(client.json('/api/v0/models', known, { signal }), signal)
  return listed.flatMap(({ id }) => {
    const facts = told?.data.find((model) => model.id === id)
    if (facts === undefined) return textModel(id, {})
    const { type, max_context_length, loaded_context_length } = facts
    if (type !== 'llm' && type !== 'vlm' && type !== 'embeddings') return []
    return textModel(id, {
      kind: type === 'embeddings' ? 'embedding' : 'chat',
      contextLength: loaded_context_length ?? max_context_length ?? undefined,
    })
  })
}
