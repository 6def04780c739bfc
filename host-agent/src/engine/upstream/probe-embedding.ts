import { embeddingAnswer } from './embedding-answer.ts'
import type { ServerClient } from './server-client.ts'
import { ServerError } from './server-error.ts'
import type { TextKind } from './text-model.ts'

/**
 * Finds out what a loaded model does by asking it for the embedding of one word. Those that embed do not chat, and the reverse.
 * Throws a `ServerError` where the server cannot say now, for instance because it is loading the model.
 */
export async function probeEmbedding(
  client: ServerClient,
  serverName: string | undefined,
  signal: AbortSignal,
): Promise<TextKind> {
  if (serverName === undefined) return 'chat'
  const body = { model: serverName, input: 'hello' }
  try {
    const { data } = await client.json('/v1/embeddings', embeddingAnswer, { signal, body })
    return data.length === 0 ? 'chat' : 'embedding'
  } catch (error) {
    if (error instanceof ServerError && saysNo(error)) return 'chat'
    throw error
  }
}

function saysNo({ code, status = 0 }: ServerError): boolean {
  return code === 'malformed' || (code === 'rejected' && status !== 429 && status !== 503)
}
