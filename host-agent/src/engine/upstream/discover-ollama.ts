import { type Capability, capability, count } from '@daisi/protocol'
import * as z from 'zod'
import type { ListedModel } from './model-list.ts'
import type { ServerClient } from './server-client.ts'
import { type TextModel, textModel, UNKNOWN_CONTEXT } from './text-model.ts'
import { whereKnown } from './where-known.ts'

const tags = z.looseObject({
  models: z.array(
    z.looseObject({ name: z.string(), size: count.nullish(), remote_host: z.string().nullish() }),
  ),
})
const running = z.looseObject({
  models: z.array(z.looseObject({ name: z.string(), context_length: z.int().positive().nullish() })),
})
/** What its words for an ability mean here. */
const ABILITIES: Readonly<Record<string, Capability>> = {
  tools: capability.tools,
  vision: capability.vision,
  thinking: capability.reasoningEffort,
  insert: capability.infill,
}

const shown = z.looseObject({
  /** Lines such as `num_ctx 8192`. */
  parameters: z.string().nullish(),
  model_info: z.record(z.string(), z.unknown()).nullish(),
  /** Absent in old versions. */
  capabilities: z.array(z.string()).nullish(),
})

/**
 * The models of Ollama. Its digests are of manifests and not of model files, so they are left out. Models that Ollama itself has run
 * elsewhere are not offered: they are not this machine's to lend.
 */
export async function discoverOllama(
  client: ServerClient,
  listed: readonly ListedModel[],
  signal: AbortSignal,
): Promise<readonly TextModel[]> {
  const [onDisk, loaded] = await Promise.all([
    whereKnown(client.json('/api/tags', tags, { signal }), signal),
    whereKnown(client.json('/api/ps', running, { signal }), signal),
  ])
  const models: TextModel[] = []
  for (const { id } of listed) {
    const tag = onDisk?.models.find(({ name }) => name === id)
    if ((tag?.remote_host ?? '') !== '') continue
    const body = { model: id }
    const told = await whereKnown(client.json('/api/show', shown, { signal, body }), signal)
    const kind = kindOf(told?.capabilities)
    if (kind === undefined) continue
    const inUse = loaded?.models.find(({ name }) => name === id)?.context_length
    const contextLength = inUse ?? contextOf(told)
    const abilities = (told?.capabilities ?? []).flatMap((name) => ABILITIES[name] ?? [])
    const completes = kind === 'chat'
    const facts = { kind, abilities, completes, contextLength, sizeBytes: tag?.size ?? undefined }
    models.push(...textModel(id, facts))
  }
  return models
}

function kindOf(capabilities: readonly string[] | null | undefined): TextModel['kind'] | undefined {
  if (capabilities === undefined || capabilities === null || capabilities.includes('completion'))
    return 'chat'
  return capabilities.includes('embedding') ? 'embedding' : undefined
}

/**
 * The context that Ollama will load it with: what its file of parameters says, else Ollama's own default, which is below what most
 * models were trained for. Longer prompts are cut silently.
 */
function contextOf(told: z.infer<typeof shown> | undefined): number {
  const set = /^num_ctx\s+(\d{1,9})\s*$/m.exec(told?.parameters ?? '')?.[1]
  if (set !== undefined && Number(set) > 0) return Number(set)
  const trained = Object.entries(told?.model_info ?? {}).find(([name]) =>
    name.endsWith('.context_length'),
  )?.[1]
  return typeof trained === 'number' && Number.isInteger(trained) && trained > 0
    ? Math.min(trained, UNKNOWN_CONTEXT)
    : UNKNOWN_CONTEXT
}
