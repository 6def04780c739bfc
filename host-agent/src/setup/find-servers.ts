import { type ServerSpec, parseServerSpec } from '../engine/upstream/server-spec.ts'
import { openServers } from '../engine/upstream/server-watch.ts'
import { createLogger } from '../log.ts'

/** Servers that are looked for where they usually listen. */
export const USUAL_SERVERS = ['ollama', 'lmstudio', 'vllm', 'llama-server', 'a1111', 'comfyui'] as const

/** A server on this machine answers at once; one that is busy loading may not. */
const LOOK_MS = 4_000

/** A server that answers and has models. */
export interface FoundServer {
  /** As `parseServerSpec` understands it. */
  readonly text: string
  readonly models: readonly string[]
}

/** Which of these servers answer now, with models to offer. Those at an address in `known` are left out. */
export async function findServers(
  texts: readonly string[],
  known: readonly string[],
  signal: AbortSignal,
): Promise<readonly FoundServer[]> {
  const knownUrls = new Set(specsOf(known).map(({ spec }) => spec.url))
  const wanted = specsOf(texts).filter(({ spec }) => !knownUrls.has(spec.url))
  const found = await Promise.all(wanted.map((server) => look(server, signal)))
  return found.filter(({ models }) => models.length > 0)
}

async function look(
  { text, spec }: { readonly text: string; readonly spec: ServerSpec },
  signal: AbortSignal,
): Promise<FoundServer> {
  const logger = createLogger('silent', 'json')
  const inTime = AbortSignal.any([signal, AbortSignal.timeout(LOOK_MS)])
  const sources = await openServers([spec], { logger, signal: inTime })
  return { text, models: sources.map(({ offer }) => offer.id) }
}

function specsOf(texts: readonly string[]): readonly { readonly text: string; readonly spec: ServerSpec }[] {
  return texts.flatMap((text) => {
    const parsed = parseServerSpec(text)
    return parsed.ok ? [{ text, spec: parsed.spec }] : []
  })
}
