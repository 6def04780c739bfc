import { type Capability, capability } from '@daisi/protocol'
import * as z from 'zod'
import type { ListedModel } from './model-list.ts'
import { probeEmbedding } from './probe-embedding.ts'
import { probeInfill } from './probe-infill.ts'
import type { ServerClient } from './server-client.ts'
import type { TextServerSpec } from './server-spec.ts'
import { type TextModel, textModel } from './text-model.ts'
import { whereKnown } from './where-known.ts'

const flag = z.boolean().nullish().catch(undefined)
const props = z.looseObject({
  default_generation_settings: z.looseObject({ n_ctx: z.int().positive() }),
  total_slots: z.int().positive().max(1_024).optional(),
  modalities: z.looseObject({ vision: flag }).nullish().catch(undefined),
  /** What the model's template knows. Without it, tools are left out of the prompt and nobody is told. */
  chat_template_caps: z
    .looseObject({ supports_tools: flag, supports_tool_calls: flag, supports_reasoning_effort: flag })
    .nullish()
    .catch(undefined),
})
type Props = z.infer<typeof props>

/**
 * llama-server tells in `/props` the context of one slot and how many there are. With several models it loads them on demand:
 * what is told is not of one of them, and asking one for an embedding would load it.
 */
export async function discoverLlamaServer(
  client: ServerClient,
  spec: TextServerSpec,
  listed: readonly ListedModel[],
  signal: AbortSignal,
): Promise<readonly TextModel[]> {
  const isOne = listed.length === 1
  const told = isOne ? await whereKnown(client.json('/props', props, { signal }), signal) : undefined
  const kind = spec.models ?? (isOne ? await probeEmbedding(client, listed[0]?.id, signal) : 'chat')
  const infills = isOne && kind === 'chat' && (await whereKnown(probeInfill(client, signal), signal)) === true
  const abilities = [
    ...(told === undefined ? [] : propsAbilities(told)),
    ...(infills ? [capability.infill] : []),
  ]
  return listed.flatMap(({ id, meta }) =>
    textModel(id, {
      kind,
      contextLength: told?.default_generation_settings.n_ctx,
      slots: told?.total_slots,
      abilities,
      completes: kind === 'chat',
      sizeBytes: meta?.size ?? undefined,
    }),
  )
}

function propsAbilities({ modalities, chat_template_caps: caps }: Props): readonly Capability[] {
  return [
    ...(caps?.supports_tools === true && caps.supports_tool_calls === true ? [capability.tools] : []),
    ...(caps?.supports_reasoning_effort === true ? [capability.reasoningEffort] : []),
    ...(modalities?.vision === true ? [capability.vision] : []),
  ]
}
