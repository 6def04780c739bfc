import { ImageServer } from '../engine/images/image-server.ts'
import { parseServerSpec } from '../engine/upstream/server-spec.ts'
import { TextServer } from '../engine/upstream/text-server.ts'
import type { Logger } from '../log.ts'
import { type Check, fail, ok, warn } from './check.ts'

/** Whether a server that the owner runs can be reached, and has models. `text` is how the configuration names it. */
export async function checkServer(
  text: string,
  logger: Logger,
  signal: AbortSignal,
): Promise<readonly Check[]> {
  const parsed = parseServerSpec(text)
  if (!parsed.ok) return [fail('server', parsed.problem, 'change it: daisi-host config set servers …')]
  const { spec } = parsed
  const name = `server ${spec.kind}`
  const server = spec.type === 'text' ? new TextServer(spec, logger) : new ImageServer(spec, logger)
  try {
    const models = await server.discover(signal)
    if (models.length > 0) return [ok(name, `${models.length} models at ${spec.url}`)]
    return [warn(name, `${spec.url} has no models that can be served`, 'add some to that server')]
  } catch (error) {
    if (signal.aborted) throw error
    const reason = error instanceof Error ? error.message : 'it does not answer'
    return [fail(name, `${spec.url}: ${reason}`, 'start that server, or correct its address')]
  }
}
