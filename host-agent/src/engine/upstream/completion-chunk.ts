import { count } from '@daisi/protocol'
import * as z from 'zod'
import type { AnswerChunk } from './answer-chunk.ts'
import { noChunk, parseJson, readFinishReason } from './chat-chunk.ts'
import { serverUsage } from './checked-usage.ts'

const completionChunk = z.looseObject({
  choices: z.array(
    z.looseObject({
      index: z.int().optional(),
      text: z.string().nullish(),
      finish_reason: z.string().nullish(),
    }),
  ),
  usage: serverUsage.nullish().catch(undefined),
})

/** Reads one event of `/v1/completions`. Throws a `ServerError`, as the next two do. */
export function readCompletionChunk(data: string): AnswerChunk {
  if (data.trim() === '[DONE]') return { isDone: true }
  const { choices, usage } = parse(completionChunk, data)
  const choice = choices.find(({ index = 0 }) => index === 0)
  return {
    text: choice?.text ?? '',
    finishReason: readFinishReason(choice?.finish_reason),
    usage: usage ?? undefined,
  }
}

const infillChunk = z.looseObject({
  content: z.string(),
  stop: z.boolean(),
  /** Of the last one: `eos`, `word` or `limit`. */
  stop_type: z.string().nullish(),
  tokens_evaluated: count.nullish().catch(undefined),
  tokens_predicted: count.nullish().catch(undefined),
})

/** Reads one event of llama-server's `/infill`. */
export function readInfillChunk(data: string): AnswerChunk {
  const { content, stop, stop_type, tokens_evaluated, tokens_predicted } = parse(infillChunk, data)
  if (!stop) return { text: content }
  const usage = { prompt_tokens: tokens_evaluated, completion_tokens: tokens_predicted }
  return { text: content, finishReason: stop_type === 'limit' ? 'length' : 'stop', usage }
}

const generateChunk = z.looseObject({
  response: z.string(),
  done: z.boolean(),
  done_reason: z.string().nullish(),
  prompt_eval_count: count.nullish().catch(undefined),
  eval_count: count.nullish().catch(undefined),
})

/** Reads one line of Ollama's `/api/generate`. */
export function readGenerateChunk(line: string): AnswerChunk {
  const { response, done, done_reason, prompt_eval_count, eval_count } = parse(generateChunk, line)
  if (!done) return { text: response }
  const usage = { prompt_tokens: prompt_eval_count, completion_tokens: eval_count }
  return { text: response, finishReason: readFinishReason(done_reason) ?? 'stop', usage }
}

function parse<Value>(schema: z.ZodType<Value>, data: string): Value {
  const parsed = schema.safeParse(parseJson(data))
  if (!parsed.success) throw noChunk()
  return parsed.data
}
