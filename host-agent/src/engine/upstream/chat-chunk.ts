import * as z from 'zod'
import { type ServerUsage, serverUsage } from './checked-usage.ts'
import { ServerError } from './server-error.ts'

const chunk = z.looseObject({
  choices: z.array(
    z.looseObject({
      index: z.int().optional(),
      delta: z.looseObject({ content: z.string().nullish() }).nullish(),
      finish_reason: z.string().nullish(),
    }),
  ),
  usage: serverUsage.nullish().catch(undefined),
})

/** What one event of a streamed answer says. */
export interface ChatChunk {
  /** Text of the answer; empty where the event has none. Reasoning is no part of it. */
  readonly text: string
  /** Present on the last chunk with a choice. */
  readonly finishReason: 'stop' | 'length' | undefined
  readonly usage: ServerUsage | undefined
  /** True for the event that ends the stream. */
  readonly isDone: boolean
}

/** Reasons that mean that the server gave up. */
const FAULTS: ReadonlySet<string> = new Set(['error', 'abort'])

/** Reads one event. Throws a `ServerError` for what is no chunk, which errors within a stream are. */
export function readChunk(data: string): ChatChunk {
  if (data.trim() === '[DONE]') return { text: '', finishReason: undefined, usage: undefined, isDone: true }
  const parsed = chunk.safeParse(parseJson(data))
  if (!parsed.success)
    throw new ServerError(
      'malformed',
      'the server broke its answer off with an error, or sent what is no part of one',
    )
  const { choices, usage } = parsed.data
  const choice = choices.find(({ index = 0 }) => index === 0)
  const reason = choice?.finish_reason ?? undefined
  if (reason !== undefined && FAULTS.has(reason))
    throw new ServerError('malformed', 'the server gave up in the middle of its answer')
  return {
    text: choice?.delta?.content ?? '',
    finishReason: reason === undefined || reason === '' ? undefined : reason === 'length' ? 'length' : 'stop',
    usage: usage ?? undefined,
    isDone: false,
  }
}

function parseJson(data: string): unknown {
  try {
    return JSON.parse(data)
  } catch {
    return undefined
  }
}
