import type {
  ChatCompletion,
  ChatCompletionChunk,
  CompletionUsage,
  ErrorBody,
} from '../../protocol/src/consumer/types.ts'
import type { Scope } from './own-book.ts'

/** A client that waits longer than this gives up. */
const PATIENCE_MS = 60_000

/** One chat completion as it is sent, also when it is sent again. */
export interface ChaosRequest {
  readonly id: string
  readonly scope: Scope
  readonly body: string
  readonly stream: boolean
  readonly idempotencyKey: string | undefined
}

/**
 * How one try went. `cut`: the connection broke, or nothing listened. `failed`: the stream ended with an error. `left`: the
 * client went away by itself.
 */
export type Outcome =
  | { readonly kind: 'completed'; readonly credits: number }
  | { readonly kind: 'refused' | 'failed'; readonly code: string }
  | { readonly kind: 'cut' | 'left' }

/** Sends a request once and reads its answer to the end, unless `leaveAfterMs` passes before. */
export async function ask(
  orcUrl: string,
  request: ChaosRequest,
  leaveAfterMs: number = PATIENCE_MS,
): Promise<Outcome> {
  const leave = new AbortController()
  const timer = setTimeout(() => leave.abort(), leaveAfterMs)
  try {
    const response = await fetch(new URL('/v1/chat/completions', orcUrl), {
      method: 'POST',
      headers: headersOf(request),
      body: request.body,
      signal: leave.signal,
    })
    if (!response.ok) return { kind: 'refused', code: ((await response.json()) as ErrorBody).error.code }
    if (request.stream) return await readStream(response)
    const { usage } = (await response.json()) as ChatCompletion
    return { kind: 'completed', credits: creditsOf(usage) }
  } catch {
    return { kind: leave.signal.aborted ? 'left' : 'cut' }
  } finally {
    clearTimeout(timer)
  }
}

/** Headers that say who asks, and in which Session. */
export function scopeHeaders({ key, sessionId }: Scope): Record<string, string> {
  const session = sessionId === undefined ? {} : { 'daisi-session': sessionId }
  return { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...session }
}

function headersOf({ scope, idempotencyKey }: ChaosRequest): Record<string, string> {
  return {
    ...scopeHeaders(scope),
    ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
  }
}

async function readStream(response: Response): Promise<Outcome> {
  let rest = ''
  let usage: CompletionUsage | undefined
  for await (const text of (response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream())) {
    const events = (rest + text).split('\n\n')
    rest = events.pop() ?? ''
    for (const event of events.filter((line) => line.startsWith('data: '))) {
      const data = event.slice('data: '.length)
      if (data === '[DONE]' && usage !== undefined) return { kind: 'completed', credits: creditsOf(usage) }
      const chunk: Partial<ChatCompletionChunk & ErrorBody> = data === '[DONE]' ? {} : JSON.parse(data)
      if (chunk.error !== undefined) return { kind: 'failed', code: chunk.error.code }
      usage = chunk.usage ?? usage
    }
  }
  return { kind: 'cut' }
}

function creditsOf({ prompt_tokens, prompt_tokens_details, completion_tokens }: CompletionUsage): number {
  return prompt_tokens - prompt_tokens_details.cached_tokens + completion_tokens
}
