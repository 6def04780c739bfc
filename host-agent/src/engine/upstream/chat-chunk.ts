import type { FinishReason } from '@daisi/protocol'
import * as z from 'zod'
import type { AnswerChunk } from './answer-chunk.ts'
import { serverUsage } from './checked-usage.ts'
import { ServerError } from './server-error.ts'

const callDelta = z.looseObject({
  index: z.int().min(0).nullish(),
  id: z.string().nullish(),
  function: z.looseObject({ name: z.string().nullish(), arguments: z.string().nullish() }).nullish(),
})

const chunk = z.looseObject({
  choices: z.array(
    z.looseObject({
      index: z.int().optional(),
      delta: z
        .looseObject({
          content: z.string().nullish(),
          /** vLLM, llama-server, LM Studio. */
          reasoning_content: z.string().nullish(),
          /** Ollama, newer vLLM, and several gateways. */
          reasoning: z.string().nullish(),
          tool_calls: z.array(callDelta).nullish(),
        })
        .nullish(),
      finish_reason: z.string().nullish(),
    }),
  ),
  usage: serverUsage.nullish().catch(undefined),
})

/** Reasons that mean that the server gave up. */
const FAULTS: ReadonlySet<string> = new Set(['error', 'abort'])

/** Reads one event of a chat. Throws a `ServerError` for what is no chunk, which errors within a stream are. */
export function readChatChunk(data: string): AnswerChunk {
  if (data.trim() === '[DONE]') return { isDone: true }
  const parsed = chunk.safeParse(parseJson(data))
  if (!parsed.success) throw noChunk()
  const { choices, usage } = parsed.data
  const choice = choices.find(({ index = 0 }) => index === 0)
  const { content, reasoning_content, reasoning, tool_calls } = choice?.delta ?? {}
  return {
    text: content ?? '',
    // Some servers send both, with the same words.
    reasoning: reasoning_content || reasoning || '',
    calls: (tool_calls ?? []).map(({ index, id, function: called }) => ({
      index: index ?? undefined,
      // An empty name or id is none.
      id: id || undefined,
      name: called?.name || undefined,
      arguments: called?.arguments ?? '',
    })),
    finishReason: readFinishReason(choice?.finish_reason),
    usage: usage ?? undefined,
  }
}

/** The reason for the end of an answer in the words of the wire. Throws a `ServerError` for one that means a fault. */
export function readFinishReason(reason: string | null | undefined): FinishReason | undefined {
  if (reason === undefined || reason === null || reason === '') return undefined
  if (FAULTS.has(reason)) throw new ServerError('malformed', 'the server gave up in the middle of its answer')
  if (reason === 'tool_calls') return 'tool-calls'
  return reason === 'length' ? 'length' : 'stop'
}

/** What is thrown for an event that is no part of an answer. */
export function noChunk(): ServerError {
  return new ServerError(
    'malformed',
    'the server broke its answer off with an error, or sent what is no part of one',
  )
}

export function parseJson(data: string): unknown {
  try {
    return JSON.parse(data)
  } catch {
    return undefined
  }
}
