import type { AnswerChunk } from './answer-chunk.ts'
import { type AnswerLimits, AnswerReader } from './answer-reader.ts'
import type { Dialect } from './dialect.ts'
import type { PromptSize } from './prompt-size.ts'
import type { OpenAnswer, ServerClient } from './server-client.ts'
import type { ServerRun } from './server-run.ts'
import type { TextModel } from './text-model.ts'

/** What a text server does its work with. */
export interface TextWorkshop {
  readonly client: ServerClient
  readonly model: TextModel
  readonly dialect: Dialect
  /** Milliseconds without a byte after which the server counts as stuck. */
  readonly gapTimeoutMs: number
}

/** How one answer is asked for, and read. */
export interface StreamedRequest {
  readonly path: string
  readonly body: object
  readonly chunks: (open: OpenAnswer) => AsyncIterable<AnswerChunk>
  readonly size: PromptSize
  readonly limits: AnswerLimits
}

/**
 * One streamed answer. The job starts with an upper estimate of its prompt, for the server counts only at the end; what the
 * server then says is believed as far as `checkedUsage` allows. Throws a `ServerError`.
 */
export async function streamedWork(
  { client, model, gapTimeoutMs }: TextWorkshop,
  run: ServerRun,
  { path, body, chunks, size, limits }: StreamedRequest,
): Promise<void> {
  const promptTokens = Math.min(size.estimate, model.contextLength)
  const stop = new AbortController()
  const signal = AbortSignal.any([run.signal, stop.signal])
  const answer = new AnswerReader(limits, run)
  run.startSoon(promptTokens)
  try {
    const open = await client.open(path, { signal, body, gapTimeoutMs })
    await answer.read(chunks(open))
    await run.answer.finish(run.signal)
  } catch (error) {
    run.answer.dispose()
    if (!run.signal.aborted) throw error
  } finally {
    stop.abort()
  }
  const usage = answer.usage(Math.min(promptTokens, size.bound))
  if (run.signal.aborted) run.abort(usage)
  else run.end(answer.finishReason, usage, answer.tokensPerSecond)
}
