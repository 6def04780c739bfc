import { capability } from '@daisi/protocol'
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
      /** Absent in old versions. */
      capabilities: z.array(z.string()).nullish().catch(undefined),
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
    if (facts === undefined) return textModel(id, { completes: true })
    const { type, max_context_length, loaded_context_length, capabilities } = facts
    if (type !== 'llm' && type !== 'vlm' && type !== 'embeddings') return []
    const contextLength = loaded_context_length ?? max_context_length ?? undefined
    if (type === 'embeddings') return textModel(id, { kind: 'embedding', contextLength })
    const abilities = [
      ...(capabilities?.includes('tool_use') === true ? [capability.tools] : []),
      ...(type === 'vlm' ? [capability.vision] : []),
    ]
    return textModel(id, { abilities, completes: true, contextLength })
  })
}
